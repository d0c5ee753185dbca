import { SENT_ENVELOPE } from '../runtime/envelope.js';
import { Pid } from '../runtime/pid.js';
import type { ViaRegistry } from '../runtime/ports.js';
import { NameTable } from './name-table.js';

/** The keys of one keyed server: a namespace of its own, used as `{ via: table, key }`. */
export class KeyTable implements ViaRegistry {
  private readonly table = new NameTable();

  registerName(key: unknown, pid: Pid): boolean {
    return this.table.register(key, pid) === undefined;
  }

  unregisterName(key: unknown): void {
    const holder = this.table.whereis(key);
    if (holder !== undefined) this.table.unregister(key, holder);
  }

  whereisName(key: unknown): Pid | undefined {
    return this.table.whereis(key);
  }

  send(key: unknown, message: unknown): void {
    const pid = this.table.whereis(key);
    if (pid !== undefined) Pid.processOf(pid)?.deliver(SENT_ENVELOPE, message);
  }

  /** The keys that are held now. */
  keys(): IterableIterator<unknown> {
    return this.table.names();
  }
}

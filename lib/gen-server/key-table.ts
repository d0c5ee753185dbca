import { NoProcessError } from './errors.js';
import { SENT_ENVELOPE } from '../runtime/mailbox/envelope.js';
import type { Pid } from '../runtime/pid.js';
import { processOf } from '../runtime/process.js';
import { print } from '../runtime/secrets/print.js';
import { type KeyRegistry, ViaKey } from '../runtime/server-name.js';

/**
 * Keys with at most one holder each, used as `{ via: table, key }`: the keys of one keyed server, or the partitions of one partition
 * supervisor.
 */
export class KeyTable implements KeyRegistry {
  /** Without an object per key, since there may be a hundred thousand. */
  private readonly holders = new Map<unknown, Pid>();

  registerName(key: unknown, pid: Pid): boolean {
    if (this.holders.has(key)) return false;
    this.holders.set(key, pid);
    return true;
  }

  unregisterName(key: unknown): void {
    this.holders.delete(key);
  }

  whereisName(key: unknown): Pid | undefined {
    return this.holders.get(key);
  }

  nameOf(key: unknown): ViaKey {
    return new ViaKey(this, key);
  }

  release(key: unknown): void {
    this.unregisterName(key);
  }

  send(key: unknown, message: unknown): void {
    const pid = this.holders.get(key);
    if (pid === undefined) throw new NoProcessError(`key ${print(key)}`);
    processOf(pid)?.deliver(SENT_ENVELOPE, message);
  }

  /** The keys that are held now. */
  keys(): IterableIterator<unknown> {
    return this.holders.keys();
  }
}

import type { Pid } from '../runtime/pid.js';
import type { NameService } from '../runtime/ports.js';

/** A place that a name points to. A client that keeps the slot sees each holder of the name come and go without looking it up. */
export interface NameSlot {
  holder: Pid | undefined;
}

/** One pinned per name that a client holds on to. */
interface Entry extends NameSlot {
  isPinned: boolean;
}

/**
 * The names of one runtime, each with at most one holder (N1, N2). A name is compared as a key of a `Map`: strings by value,
 * symbols, classes and objects by identity.
 */
export class NameTable implements NameService {
  private readonly entries = new Map<unknown, Entry>();

  register(name: unknown, pid: Pid): Pid | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) this.entries.set(name, { holder: pid, isPinned: false });
    else if (entry.holder !== undefined) return entry.holder;
    else entry.holder = pid;
    return undefined;
  }

  unregister(name: unknown, pid: Pid): void {
    const entry = this.entries.get(name);
    if (entry?.holder !== pid) return;
    if (entry.isPinned) entry.holder = undefined;
    else this.entries.delete(name);
  }

  whereis(name: unknown): Pid | undefined {
    return this.entries.get(name)?.holder;
  }

  /** The slot of a name that a client resolves over and over. It stays valid while the name is free. */
  pin(name: unknown): NameSlot {
    let entry = this.entries.get(name);
    if (entry === undefined) this.entries.set(name, (entry = { holder: undefined, isPinned: true }));
    entry.isPinned = true;
    return entry;
  }

  /** The names that are held now. */
  *names(): IterableIterator<unknown> {
    for (const [name, { holder }] of this.entries) if (holder !== undefined) yield name;
  }
}

import { watch } from '../runtime/relations/monitors.js';
import type { Monitor } from '../runtime/relations/relations.js';
import type { Pid } from '../runtime/pid.js';
import type { Process } from '../runtime/process.js';

/** Something that a process has put under a key, and that goes when the process goes. */
export class OwnedEntry<K, V> {
  constructor(
    readonly key: K,
    readonly owner: Process,
    public value: V,
  ) {}

  get pid(): Pid {
    return this.owner.pid;
  }
}

export type EntriesByKey<K, V> = ReadonlyMap<K, ReadonlySet<OwnedEntry<K, V>>>;

/** What is kept for a process as long as it owns anything. */
interface Owner<K, V> {
  readonly monitor: Monitor;
  readonly byKey: Map<K, Set<OwnedEntry<K, V>>>;
}

/**
 * Entries under keys, each owned by a process: what names, group memberships, subscriptions and presences have in common. Keys
 * are compared as those of a `Map`. An entry is gone in the turn in which its owner ends, and its key with the last entry; from
 * the moment the owner is dead it is not shown any more. Nothing is kept for a process that owns nothing.
 */
export class OwnedEntries<K, V> {
  private readonly byKey = new Map<K, Set<OwnedEntry<K, V>>>();
  private readonly owners = new Map<Process, Owner<K, V>>();
  private count = 0;

  /** `onOwnerEnded` gets what an owner has left behind, by key. It runs in the turn of the exit, so it must not throw. */
  constructor(private readonly onOwnerEnded: (left: EntriesByKey<K, V>) => void = () => undefined) {}

  get size(): number {
    return this.count;
  }

  /** The owner must be alive. */
  add(owner: Process, key: K, value: V): OwnedEntry<K, V> {
    const entry = new OwnedEntry(key, owner, value);
    addTo(this.byKey, entry);
    addTo(this.ownerOf(owner).byKey, entry);
    this.count++;
    return entry;
  }

  /** Removing twice is harmless. */
  remove(entry: OwnedEntry<K, V>): void {
    const owner = this.owners.get(entry.owner);
    if (owner === undefined || !removeFrom(owner.byKey, entry)) return;
    removeFrom(this.byKey, entry);
    this.count--;
    if (owner.byKey.size > 0) return;
    owner.monitor.stop();
    this.owners.delete(entry.owner);
  }

  clear(): void {
    for (const { monitor } of this.owners.values()) monitor.stop();
    this.owners.clear();
    this.byKey.clear();
    this.count = 0;
  }

  /** The keys that have entries. */
  keys(): IterableIterator<K> {
    return this.byKey.keys();
  }

  /** The entries of living owners under `key` as they are now, the oldest first. */
  of(key: K): OwnedEntry<K, V>[] {
    return living(this.byKey.get(key));
  }

  /** The oldest entry of a living owner under `key`. */
  first(key: K): OwnedEntry<K, V> | undefined {
    for (const entry of this.byKey.get(key) ?? []) if (entry.owner.isAlive) return entry;
    return undefined;
  }

  /** All entries of living owners, key by key. */
  all(): OwnedEntry<K, V>[] {
    return [...this.byKey.values()].flatMap((entries) => living(entries));
  }

  /** What `owner` has put under `key`, or under any key. */
  ownedBy(owner: Process): OwnedEntry<K, V>[];
  ownedBy(owner: Process, key: K): OwnedEntry<K, V>[];
  ownedBy(owner: Process, ...keys: [] | [K]): OwnedEntry<K, V>[] {
    const owned = this.owners.get(owner)?.byKey;
    if (owned === undefined) return [];
    return keys.length === 0 ? entriesOf(owned) : [...(owned.get(keys[0]) ?? [])];
  }

  private ownerOf(process: Process): Owner<K, V> {
    let owner = this.owners.get(process);
    if (owner === undefined) {
      const monitor = watch(process, () => this.ownerEnded(process));
      this.owners.set(process, (owner = { monitor, byKey: new Map() }));
    }
    return owner;
  }

  private ownerEnded(process: Process): void {
    const left = this.owners.get(process)!.byKey;
    this.owners.delete(process);
    for (const entries of left.values()) {
      this.count -= entries.size;
      for (const entry of entries) removeFrom(this.byKey, entry);
    }
    this.onOwnerEnded(left);
  }
}

function addTo<K, V>(byKey: Map<K, Set<OwnedEntry<K, V>>>, entry: OwnedEntry<K, V>): void {
  const entries = byKey.get(entry.key);
  if (entries === undefined) byKey.set(entry.key, new Set([entry]));
  else entries.add(entry);
}

function removeFrom<K, V>(byKey: Map<K, Set<OwnedEntry<K, V>>>, entry: OwnedEntry<K, V>): boolean {
  const entries = byKey.get(entry.key);
  if (entries === undefined || !entries.delete(entry)) return false;
  if (entries.size === 0) byKey.delete(entry.key);
  return true;
}

function entriesOf<K, V>(byKey: Map<K, Set<OwnedEntry<K, V>>>): OwnedEntry<K, V>[] {
  return [...byKey.values()].flatMap((entries) => [...entries]);
}

function living<K, V>(entries: Iterable<OwnedEntry<K, V>> = []): OwnedEntry<K, V>[] {
  return [...entries].filter(({ owner }) => owner.isAlive);
}

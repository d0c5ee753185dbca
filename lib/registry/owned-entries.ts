import { LinkedList, type Place } from '../runtime/linked-list.js';
import { watch } from '../runtime/relations/monitors.js';
import type { Monitor } from '../runtime/relations/relations.js';
import type { Pid } from '../runtime/pid.js';
import type { Process } from '../runtime/process.js';

/** Something that a process has put under a key, and that goes when the process goes. */
export class OwnedEntry<K, V> {
  /** Its places among the entries of its key and among those that its owner has under that key; null when it is removed. @internal */
  places: { readonly ofKey: Place<OwnedEntry<K, V>>; readonly ofOwner: Place<OwnedEntry<K, V>> } | null = null;

  constructor(
    readonly key: K,
    readonly owner: Process,
    public value: V,
  ) {}

  get pid(): Pid {
    return this.owner.pid;
  }
}

type Entries<K, V> = LinkedList<OwnedEntry<K, V>>;

/** Entries by key, the oldest first under each. */
export type EntriesByKey<K, V> = ReadonlyMap<K, Entries<K, V>>;

/** What is kept for a process as long as it owns anything. */
interface Owner<K, V> {
  readonly monitor: Monitor;
  readonly byKey: Map<K, Entries<K, V>>;
}

/**
 * Entries under keys, each owned by a process: what names, group memberships, subscriptions and presences have in common. Keys
 * are compared as those of a `Map`. An entry is gone in the turn in which its owner ends, and its key with the last entry; from
 * the moment the owner is dead it is not shown any more. Nothing is kept for a process that owns nothing. Adding, removing and
 * finding the oldest cost the same however many entries there are.
 */
export class OwnedEntries<K, V> {
  private readonly byKey = new Map<K, Entries<K, V>>();
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
    entry.places = {
      ofKey: listOf(this.byKey, key).add(entry),
      ofOwner: listOf(this.ownerOf(owner).byKey, key).add(entry),
    };
    this.count++;
    return entry;
  }

  /** Removing twice is harmless. */
  remove(entry: OwnedEntry<K, V>): void {
    const { places, key } = entry;
    if (places === null) return;
    entry.places = null;
    this.count--;
    removeFrom(this.byKey, key, places.ofKey);
    const { byKey, monitor } = this.owners.get(entry.owner)!;
    removeFrom(byKey, key, places.ofOwner);
    if (byKey.size > 0) return;
    monitor.stop();
    this.owners.delete(entry.owner);
  }

  clear(): void {
    for (const { monitor } of this.owners.values()) monitor.stop();
    for (const entries of this.byKey.values()) for (const entry of entries) entry.places = null;
    this.owners.clear();
    this.byKey.clear();
    this.count = 0;
  }

  /** Whether there are entries under `key`. */
  has(key: K): boolean {
    return this.byKey.has(key);
  }

  /** The keys that have entries. */
  keys(): IterableIterator<K> {
    return this.byKey.keys();
  }

  /** The keys that have entries of living owners. */
  livingKeys(): K[] {
    return [...this.byKey.keys()].filter((key) => this.first(key) !== undefined);
  }

  /** The entries of living owners under `key` as they are now, the oldest first. */
  of(key: K): OwnedEntry<K, V>[] {
    return this.byKey.get(key)?.toArray(isOfLiving) ?? [];
  }

  /** The oldest entry of a living owner under `key`. */
  first(key: K): OwnedEntry<K, V> | undefined {
    return this.byKey.get(key)?.find(isOfLiving);
  }

  /** All entries of living owners, key by key. */
  all(): OwnedEntry<K, V>[] {
    return [...this.byKey.values()].flatMap((entries) => entries.toArray(isOfLiving));
  }

  /** What `owner` has put under `key`, or under any key. */
  ownedBy(owner: Process): OwnedEntry<K, V>[];
  ownedBy(owner: Process, key: K): OwnedEntry<K, V>[];
  ownedBy(owner: Process, ...keys: [] | [K]): OwnedEntry<K, V>[] {
    const owned = this.owners.get(owner)?.byKey;
    if (owned === undefined) return [];
    if (keys.length === 1) return owned.get(keys[0])?.toArray() ?? [];
    return [...owned.values()].flatMap((entries) => entries.toArray());
  }

  /** The oldest that `owner` has put under `key`. */
  firstOwnedBy(owner: Process, key: K): OwnedEntry<K, V> | undefined {
    return this.owners.get(owner)?.byKey.get(key)?.first;
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
    for (const [key, entries] of left) {
      this.count -= entries.size;
      for (const entry of entries) {
        removeFrom(this.byKey, key, entry.places!.ofKey);
        entry.places = null;
      }
    }
    this.onOwnerEnded(left);
  }
}

function listOf<K, V>(byKey: Map<K, Entries<K, V>>, key: K): Entries<K, V> {
  let entries = byKey.get(key);
  if (entries === undefined) byKey.set(key, (entries = new LinkedList()));
  return entries;
}

function removeFrom<K, V>(byKey: Map<K, Entries<K, V>>, key: K, place: Place<OwnedEntry<K, V>>): void {
  const entries = byKey.get(key)!;
  entries.remove(place);
  if (entries.size === 0) byKey.delete(key);
}

function isOfLiving({ owner }: OwnedEntry<unknown, unknown>): boolean {
  return owner.isAlive;
}

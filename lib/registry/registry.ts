import { markAsHandle } from '../runtime/isolation/handle.js';
import { type Destination, resolve } from '../gen-server/client/destination.js';
import { NoProcessError } from '../gen-server/errors.js';
import type { Self } from '../gen-server/self.js';
import { INFO_ENVELOPE, SENT_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { assertNameLength } from '../runtime/limits.js';
import type { Pid } from '../runtime/pid.js';
import type { ViaRegistry } from '../runtime/ports.js';
import { print } from '../runtime/secrets/print.js';
import type { Process } from '../runtime/process.js';
import type { Runtime } from '../runtime/runtime.js';
import { AlreadyRegisteredError } from './errors.js';
import { KeyLocks, never } from './key-locks.js';
import { Listeners } from './listeners.js';
import { KeyRegistered, KeyUnregistered } from './messages.js';
import { OwnedEntries, type OwnedEntry } from './owned-entries.js';
import { actingProcess, livingProcess } from './participants.js';

/** How a registry is made. */
export interface RegistryOptions {
  /** `'unique'`: a key has at most one holder, and may serve as a name. `'duplicate'`: a key has any number of entries. */
  readonly keys: 'unique' | 'duplicate';
  /**
   * Processes that get a {@link KeyRegistered} or {@link KeyUnregistered} message whenever a process registers or unregisters
   * (N11). Names are looked up each time; a name without a holder is skipped. Default: none.
   */
  readonly listeners?: readonly Destination[];
}

/** What a process has registered. A snapshot: a later change of the value shows in the next lookup. */
export interface RegistryEntry<V = unknown> {
  readonly pid: Pid;
  readonly value: V;
}

/** An entry and where it stands. */
export interface KeyedRegistryEntry<K = unknown, V = unknown> extends RegistryEntry<V> {
  readonly key: K;
}

/** What listeners of a registry are told. */
export type RegistryNews = KeyRegistered | KeyUnregistered;

/**
 * Where processes are found by key, each with a value: Elixir's `Registry`. Keys are compared as those of a `Map`: `1` is not
 * `'1'`, and objects are compared by identity.
 *
 * Only a process registers itself, which is why those methods take its `self`. Its entries are gone in the turn in which it ends,
 * and are not shown from the moment it is dead (N8). There is no partitioning: one thread has nothing to contend for.
 *
 * A unique registry also gives names: `{ via: registry, key }` wherever a name is taken, or `{ via: registry, key, value }` to
 * register with a value (N11).
 *
 * @publicApi
 */
export class Registry<K = unknown, V = unknown> implements ViaRegistry {
  readonly keys: 'unique' | 'duplicate';
  private readonly entries = new OwnedEntries<K, RegistryEntry<V>>();
  private readonly locks = new KeyLocks<unknown>();
  private readonly metadata = new Map<unknown, unknown>();
  private readonly processListeners: readonly Destination[];
  private readonly listeners: Listeners<RegistryNews>;

  /** Use `registries.create`, which sees to it that there is one per name. @internal */
  constructor(
    private readonly runtime: Runtime,
    readonly name: string,
    { keys, listeners = [] }: RegistryOptions,
  ) {
    if (keys !== 'unique' && keys !== 'duplicate') {
      throw new InvalidArgumentError(`keys of registry '${name}' must be 'unique' or 'duplicate', got: ${print(keys)}`);
    }
    this.keys = keys;
    this.processListeners = [...listeners];
    this.listeners = new Listeners({ runtime, source: this.toString() });
  }

  // --- one's own entries --------------------------------------------------------------------------------------------------

  /**
   * Registers a process under `key` (N7). In a duplicate registry it may do so any number of times.
   *
   * @param self  The process that registers itself: `this.self`. One that has ended does nothing.
   * @param value  Shared, not copied. Default: undefined.
   * @throws {LimitExceededError} The key is text of more characters than `limits.nameLength`.
   * @throws {AlreadyRegisteredError} The registry is unique and the key is taken, perhaps by this very process.
   */
  register(self: Self, key: K, value?: V): void {
    const process = actingProcess(this.runtime, self);
    if (process === undefined) return;
    assertNameLength(key, this.runtime.limits, process.label);
    const holder = this.keys === 'unique' ? this.entries.first(key) : undefined;
    if (holder !== undefined) {
      throw new AlreadyRegisteredError(this.name, key, holder.pid, holder.owner === process);
    }
    this.add(process, key, value as V);
  }

  /** Removes all entries of a process under `key`. Harmless when there is none. */
  unregister(self: Self, key: K): void {
    const process = actingProcess(this.runtime, self);
    if (process !== undefined) this.remove(process, key, this.entries.ownedBy(process, key));
  }

  /** Removes those entries of a process under `key` whose value matches. When `matches` throws, nothing is removed. */
  unregisterMatch(self: Self, key: K, matches: (value: V) => boolean): void {
    const process = actingProcess(this.runtime, self);
    if (process === undefined) return;
    this.remove(
      process,
      key,
      this.entries.ownedBy(process, key).filter(({ value }) => matches(value.value)),
    );
  }

  /**
   * Changes the value of a process's own key, in a unique registry.
   *
   * @returns The value that `change` made and the one it was given; undefined when the process does not hold the key.
   */
  updateValue(self: Self, key: K, change: (value: V) => V): { readonly newValue: V; readonly oldValue: V } | undefined {
    this.assertUnique('updateValue');
    const process = actingProcess(this.runtime, self);
    const entry = process === undefined ? undefined : this.entries.firstOwnedBy(process, key);
    if (entry === undefined) return undefined;
    const oldValue = entry.value.value;
    const newValue = change(oldValue);
    entry.value = { pid: entry.pid, value: newValue };
    return { newValue, oldValue };
  }

  // --- entries of all processes -------------------------------------------------------------------------------------------

  /** The entries under `key`, the oldest first. Their owners are alive, but may be gone a moment later (N8). */
  lookup(key: K): readonly RegistryEntry<V>[] {
    return this.entries.of(key).map(({ value }) => value);
  }

  /** The keys of a process. In a duplicate registry a key comes as often as it was registered. */
  keysOf(pid: Pid): readonly K[] {
    return this.ownedBy(pid).map(({ key }) => key);
  }

  /** The values of a process under `key`. */
  valuesOf(pid: Pid, key: K): readonly V[] {
    return this.ownedBy(pid, key).map(({ value }) => value.value);
  }

  /** How many entries there are. */
  count(): number {
    return this.entries.size;
  }

  /** The entries under `key` whose value matches. */
  match(key: K, matches: (value: V, pid: Pid) => boolean): readonly RegistryEntry<V>[] {
    return this.lookup(key).filter(({ pid, value }) => matches(value, pid));
  }

  countMatch(key: K, matches: (value: V, pid: Pid) => boolean): number {
    return this.match(key, matches).length;
  }

  /** The entries of all keys that match, or all there are. Looks at each one: meant for inspection. */
  select(matches: (entry: KeyedRegistryEntry<K, V>) => boolean = () => true): readonly KeyedRegistryEntry<K, V>[] {
    return this.entries
      .all()
      .map(({ key, value }) => ({ key, ...value }))
      .filter(matches);
  }

  countSelect(matches?: (entry: KeyedRegistryEntry<K, V>) => boolean): number {
    return this.select(matches).length;
  }

  /**
   * Calls `act` once with all entries under `key`, or not at all when there are none (N10). What `act` throws comes out here.
   * This is how a message gets to all processes under a key: `registry.dispatch(key, (entries) => entries.forEach(({ pid }) => …))`.
   */
  dispatch(key: K, act: (entries: readonly RegistryEntry<V>[]) => void): void {
    const entries = this.lookup(key);
    if (entries.length > 0) act(entries);
  }

  // --- beside the entries -------------------------------------------------------------------------------------------------

  /**
   * Runs `work` while no other process runs work under the same key, of whatever registrations (N12). Different keys do not wait
   * for each other. The lock is free again when `work` is done, throws, or its process ends.
   *
   * Not re-entrant: work that waits for a lock on its own key waits for ever.
   *
   * @returns What `work` gives, or rejects with what it throws. For a process that ends meanwhile it stays pending.
   */
  lock<T>(self: Self, key: unknown, work: () => T | Promise<T>): Promise<T> {
    const process = actingProcess(this.runtime, self);
    return process === undefined ? never() : this.locks.run(process, key, work);
  }

  /** What was put under `key` with {@link putMeta}, which belongs to the registry and to no process. Undefined: nothing. */
  meta(key: unknown): unknown {
    return this.metadata.get(key);
  }

  putMeta(key: unknown, value: unknown): void {
    this.metadata.set(key, value);
  }

  deleteMeta(key: unknown): void {
    this.metadata.delete(key);
  }

  /**
   * Tells a function whenever a process registers or unregisters itself, at once; not when its entries go because it has ended
   * (N11). One that throws is detached and reported.
   *
   * @returns How to stop.
   */
  listen(listener: (news: RegistryNews) => unknown): () => void {
    return this.listeners.add(listener);
  }

  // --- names --------------------------------------------------------------------------------------------------------------

  /** For `{ via: registry, key }`: called when a process is started under that name. */
  registerName(key: K, pid: Pid, value?: V): boolean {
    this.assertUnique('{ via }');
    const process = livingProcess(this.runtime, pid);
    if (process === undefined || this.entries.first(key) !== undefined) return false;
    this.add(process, key, value as V);
    return true;
  }

  /** For `{ via: registry, key }`. There is nothing to do: the entry of a dead owner is not shown. */
  unregisterName(_key: K): void {}

  /** The holder of `key`. Throws `InvalidArgumentError` when the registry is a duplicate one (N10). */
  whereisName(key: K): Pid | undefined {
    this.assertUnique('{ via }');
    return this.entries.first(key)?.pid;
  }

  /** Sends a plain message to the holder of `key`. Throws `NoProcessError` when there is none (N10). */
  send(key: K, message: unknown): void {
    this.assertUnique('{ via }');
    const entry = this.entries.first(key);
    if (entry === undefined) throw new NoProcessError(`${this.toString()}, key ${print(key)}`);
    entry.owner.deliver(SENT_ENVELOPE, message);
  }

  toString(): string {
    return `Registry '${this.name}'`;
  }

  private add(process: Process, key: K, value: V): void {
    this.entries.add(process, key, { pid: process.pid, value });
    this.tell(() => new KeyRegistered(this.name, key, process.pid, value));
  }

  private remove(process: Process, key: K, entries: readonly OwnedEntry<K, RegistryEntry<V>>[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.entries.remove(entry);
    this.tell(() => new KeyUnregistered(this.name, key, process.pid));
  }

  private tell(makeNews: () => RegistryNews): void {
    if (this.processListeners.length === 0 && this.listeners.size === 0) return;
    const news = makeNews();
    for (const listener of this.processListeners) this.find(listener)?.deliver(INFO_ENVELOPE, news);
    this.listeners.tell(news);
  }

  private find(listener: Destination): Process | undefined {
    try {
      return resolve(this.runtime, listener);
    } catch {
      // The name may lie in a registry of the user's own, and that may throw. A process that registers here must not fail for that.
      return undefined;
    }
  }

  private ownedBy(pid: Pid, ...keys: [] | [K]): OwnedEntry<K, RegistryEntry<V>>[] {
    const process = livingProcess(this.runtime, pid);
    if (process === undefined) return [];
    return keys.length === 0 ? this.entries.ownedBy(process) : this.entries.ownedBy(process, keys[0]);
  }

  private assertUnique(what: string): void {
    if (this.keys === 'unique') return;
    throw new InvalidArgumentError(
      `${what} needs a unique registry, and registry '${this.name}' has duplicate keys: a key does not stand for one process there.`,
    );
  }
}

markAsHandle(Registry.prototype);

import { markAsHandle } from '../runtime/isolation/handle.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { Pid, Ref } from '../runtime/pid.js';
import { print } from '../runtime/secrets/print.js';
import { AlreadyTrackedError, NoPresenceError } from './errors.js';
import { Listeners } from './listeners.js';
import { livingProcess } from './participants.js';
import { type PresenceEntry, PresenceTable } from './presence-table.js';
import type { PubSub } from './pub-sub.js';

/** One process that is present under a key: a user's tab, a device of a room. */
export interface PresenceMeta<M = unknown> {
  /** New with each update, so that a diff says exactly which state it means. */
  readonly ref: Ref;
  /** What it was before the last update. */
  readonly previousRef: Ref | undefined;
  readonly pid: Pid;
  /** What the application wants known. Shared, not copied. */
  readonly meta: M;
}

/** Who is present, by key. Plain objects without a prototype, ready to be sent as JSON. */
export type PresenceList<M = unknown> = Readonly<Record<string, { readonly metas: readonly PresenceMeta<M>[] }>>;

/**
 * What has changed on a topic. Broadcast on it, and thus handled with `@HandleInfo(PresenceDiff)` by its subscribers. An update
 * is a leave of what was and a join of what is.
 *
 * @publicApi
 */
export class PresenceDiff<M = unknown> {
  constructor(
    readonly topic: string,
    readonly joins: PresenceList<M>,
    readonly leaves: PresenceList<M>,
  ) {}
}

/** What has changed in one go, by topic: a process that ends leaves all its topics at once. */
export type PresenceDiffs<M = unknown> = Readonly<Record<string, PresenceDiff<M>>>;

/** One presence in a diff or a list. */
interface Present<M> {
  readonly key: string;
  readonly meta: PresenceMeta<M>;
}

/**
 * Who is there, by topic and key: `Phoenix.Presence`, on one node. Several processes may be present under one key, each with a
 * state of its own; a presence ends with its process, in the turn of the exit (B5). Changes are broadcast on the topic as
 * {@link PresenceDiff}, on this node: it does not merge what other nodes know.
 *
 * As in Phoenix, anybody may track any process, so these methods take its pid.
 *
 * @publicApi
 */
export class Presence<M = unknown> {
  private readonly present = new PresenceTable<PresenceMeta<M>>((left) => this.tell(leavesOf(left)));
  private readonly listeners: Listeners<PresenceDiffs<M>>;
  private readonly untold: (readonly PresenceDiff<M>[])[] = [];
  private isTelling = false;

  constructor(private readonly pubsub: PubSub) {
    this.listeners = new Listeners({ runtime: pubsub.runtime, source: 'presence' });
  }

  /**
   * Makes a process present on a topic under a key. For one that has ended it succeeds, and the leave follows at once.
   *
   * @returns The ref of this state, as it stands in diffs and lists.
   * @throws {AlreadyTrackedError} It is present there under that key: use {@link update}.
   */
  track(pid: Pid, topic: string, key: string, meta: M): Ref {
    assertStrings(topic, key);
    const process = livingProcess(this.pubsub.runtime, pid);
    if (process !== undefined && this.present.find(process, topic, key) !== undefined) {
      throw new AlreadyTrackedError(pid, topic, key);
    }
    const ref = this.pubsub.runtime.newRef();
    const state = { ref, previousRef: undefined, pid, meta };
    if (process !== undefined) this.present.add(process, topic, key, state);
    this.tell([diffOf(topic, [{ key, meta: state }], [])]);
    if (process === undefined) this.tell([diffOf(topic, [], [{ key, meta: state }])]);
    return ref;
  }

  /**
   * Changes what is known of a present process: a leave of the old state and a join of the new one.
   *
   * @param change  The new state, or a function that makes it from the old one. When it throws, nothing has changed.
   * @returns The ref of the new state; the old ref is its `previousRef`.
   * @throws {NoPresenceError} The process is not present there under that key.
   */
  update(pid: Pid, topic: string, key: string, change: (meta: M) => M): Ref;
  update(pid: Pid, topic: string, key: string, change: M): Ref;
  update(pid: Pid, topic: string, key: string, change: M | ((meta: M) => M)): Ref {
    assertStrings(topic, key);
    const process = livingProcess(this.pubsub.runtime, pid);
    const entry = process === undefined ? undefined : this.present.find(process, topic, key);
    if (entry === undefined) throw new NoPresenceError(pid, topic, key);
    const before = entry.value;
    const meta = typeof change === 'function' ? (change as (meta: M) => M)(before.meta) : change;
    const ref = this.pubsub.runtime.newRef();
    const after = (entry.value = { ref, previousRef: before.ref, pid, meta });
    this.tell([diffOf(topic, [{ key, meta: after }], [{ key, meta: before }])]);
    return ref;
  }

  /** Ends the presence of a process on a topic under a key, or all its presences. Harmless when there is none. */
  untrack(pid: Pid): void;
  untrack(pid: Pid, topic: string, key: string): void;
  untrack(pid: Pid, topic?: string, key?: string): void {
    if (topic !== undefined) assertStrings(topic, key);
    const process = livingProcess(this.pubsub.runtime, pid);
    if (process === undefined) return;
    const entry = topic === undefined ? undefined : this.present.find(process, topic, key!);
    const leaving = topic === undefined ? this.present.ownedBy(process) : entry === undefined ? [] : [entry];
    for (const each of leaving) this.present.remove(each);
    this.tell(leavesOf(leaving));
  }

  /** Who is present on a topic, by key. */
  list(topic: string): PresenceList<M> {
    return listOf(this.present.onTopic(topic).map(presentOf));
  }

  /** What is known of a key on a topic: one for each process that is present under it, or none. */
  getByKey(topic: string, key: string): readonly PresenceMeta<M>[] {
    return this.present.underKey(topic, key).map(({ value }) => value);
  }

  /**
   * Calls a function with each change of any topic, at once and in the context that the runtime was made in. One that throws is
   * detached and reported.
   *
   * @returns How to stop.
   */
  listen(listener: (diffs: PresenceDiffs<M>) => unknown): () => void {
    return this.listeners.add(listener);
  }

  /** Forgets all presences without a diff, and ends all listeners. */
  close(): void {
    this.present.clear();
    this.untold.length = 0;
    this.listeners.close();
  }

  /**
   * Also runs in the turn of an exit, where nothing may throw: a local broadcast does not. A change that a listener causes while it is
   * told of another waits until all have heard of that one, so that nobody hears the leave before the join.
   */
  private tell(diffs: readonly PresenceDiff<M>[]): void {
    if (diffs.length === 0) return;
    this.untold.push(diffs);
    if (this.isTelling) return;
    this.isTelling = true;
    // By index: a listener may add to the list.
    for (let i = 0; i < this.untold.length; i++) this.tellAll(this.untold[i]!);
    this.untold.length = 0;
    this.isTelling = false;
  }

  private tellAll(diffs: readonly PresenceDiff<M>[]): void {
    for (const diff of diffs) this.pubsub.localBroadcast(diff.topic, diff);
    const byTopic = Object.create(null) as Record<string, PresenceDiff<M>>;
    for (const diff of diffs) byTopic[diff.topic] = diff;
    this.listeners.tell(byTopic);
  }
}

markAsHandle(Presence.prototype);

function diffOf<M>(topic: string, joins: readonly Present<M>[], leaves: readonly Present<M>[]): PresenceDiff<M> {
  return new PresenceDiff(topic, listOf(joins), listOf(leaves));
}

/** Without a prototype, since any string may be a key. */
function listOf<M>(present: readonly Present<M>[]): PresenceList<M> {
  const list = Object.create(null) as Record<string, { readonly metas: PresenceMeta<M>[] }>;
  for (const { key, meta } of present) (list[key] ??= { metas: [] }).metas.push(meta);
  return list;
}

function presentOf<M>({ key: { key }, value }: PresenceEntry<PresenceMeta<M>>): Present<M> {
  return { key, meta: value };
}

/** One diff for each topic that is left. */
function leavesOf<M>(left: readonly PresenceEntry<PresenceMeta<M>>[]): readonly PresenceDiff<M>[] {
  const byTopic = new Map<string, Present<M>[]>();
  for (const entry of left) {
    const { topic } = entry.key;
    const leaves = byTopic.get(topic);
    if (leaves === undefined) byTopic.set(topic, [presentOf(entry)]);
    else leaves.push(presentOf(entry));
  }
  return [...byTopic].map(([topic, leaves]) => diffOf(topic, [], leaves));
}

function assertStrings(topic: unknown, key: unknown): void {
  if (typeof topic === 'string' && typeof key === 'string') return;
  throw new InvalidArgumentError(
    `A presence needs a topic and a key that are strings, got: ${print(topic)} and ${print(key)}`,
  );
}

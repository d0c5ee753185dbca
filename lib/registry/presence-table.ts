import type { Process } from '../runtime/process.js';
import { OwnedEntries, type OwnedEntry } from './owned-entries.js';

/** A key on a topic: one object as long as a process is present under it, so that it can be the key of a table. */
export class PresenceKey {
  constructor(
    readonly topic: string,
    readonly key: string,
  ) {}
}

/** That a process is present under a key on a topic. */
export type PresenceEntry<M> = OwnedEntry<PresenceKey, M>;

/**
 * Who is present, found by topic, by key and by process. A process is present at most once under each key of a topic. Finding one
 * costs the same however many others there are, of the same process, key or topic.
 */
export class PresenceTable<M> {
  private readonly topics = new Map<string, Map<string, PresenceKey>>();
  private readonly entries: OwnedEntries<PresenceKey, M>;

  /** `onOwnerEnded` gets what a process has left behind. It runs in the turn of the exit, so it must not throw. */
  constructor(onOwnerEnded: (left: readonly PresenceEntry<M>[]) => void) {
    this.entries = new OwnedEntries((left) => {
      for (const key of left.keys()) this.forgetUnused(key);
      onOwnerEnded([...left.values()].flatMap((entries) => entries.toArray()));
    });
  }

  /** The process must be alive, and not present there. */
  add(process: Process, topic: string, key: string, value: M): PresenceEntry<M> {
    let keys = this.topics.get(topic);
    if (keys === undefined) this.topics.set(topic, (keys = new Map<string, PresenceKey>()));
    let presenceKey = keys.get(key);
    if (presenceKey === undefined) keys.set(key, (presenceKey = new PresenceKey(topic, key)));
    return this.entries.add(process, presenceKey, value);
  }

  remove(entry: PresenceEntry<M>): void {
    this.entries.remove(entry);
    this.forgetUnused(entry.key);
  }

  clear(): void {
    this.entries.clear();
    this.topics.clear();
  }

  find(process: Process, topic: string, key: string): PresenceEntry<M> | undefined {
    const presenceKey = this.topics.get(topic)?.get(key);
    return presenceKey === undefined ? undefined : this.entries.firstOwnedBy(process, presenceKey);
  }

  ownedBy(process: Process): PresenceEntry<M>[] {
    return this.entries.ownedBy(process);
  }

  /** Those of living processes under a key, the oldest first. */
  underKey(topic: string, key: string): PresenceEntry<M>[] {
    const presenceKey = this.topics.get(topic)?.get(key);
    return presenceKey === undefined ? [] : this.entries.of(presenceKey);
  }

  /** Those of living processes on a topic, key by key. */
  onTopic(topic: string): PresenceEntry<M>[] {
    return [...(this.topics.get(topic)?.values() ?? [])].flatMap((key) => this.entries.of(key));
  }

  private forgetUnused(presenceKey: PresenceKey): void {
    if (this.entries.has(presenceKey)) return;
    const { topic, key } = presenceKey;
    const keys = this.topics.get(topic);
    keys?.delete(key);
    if (keys?.size === 0) this.topics.delete(topic);
  }
}

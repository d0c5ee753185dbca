import { markAsHandle } from '../runtime/isolation/handle.js';
import type { Self } from '../gen-server/self.js';
import { INFO_ENVELOPE } from '../runtime/mailbox/envelope.js';
import type { Pid, Ref } from '../runtime/pid.js';
import type { Runtime } from '../runtime/runtime.js';
import { GroupJoined, GroupLeft } from './messages.js';
import { OwnedEntries, type OwnedEntry } from './owned-entries.js';
import { actingProcess, livingProcess } from './participants.js';

/**
 * Processes gathered under a name, any number of them and each as often as it joined: Erlang's `pg`, one scope. A group exists
 * as long as it has members; one that ends leaves all its groups. Groups are compared as keys of a `Map`.
 *
 * As in `pg`, anybody may let any process join, so these methods take its pid.
 *
 * @publicApi
 */
export class ProcessGroups {
  private readonly memberships = new OwnedEntries<unknown, undefined>((left) => {
    for (const [group, memberships] of left) this.tellOfLeave(group, memberships.toArray().map(pidOf));
  });
  private readonly monitors = new OwnedEntries<unknown, Ref>((left) => {
    for (const monitors of left.values()) for (const { value } of monitors) this.monitorsByRef.delete(value);
  });
  private readonly monitorsByRef = new Map<Ref, OwnedEntry<unknown, Ref>>();

  constructor(private readonly runtime: Runtime) {}

  /** Makes a process a member, once more if it is one. A process that has ended does not join. */
  join(pid: Pid, group: unknown): void {
    const process = livingProcess(this.runtime, pid);
    if (process === undefined) return;
    this.memberships.add(process, group, undefined);
    for (const { owner, value } of this.monitors.of(group)) {
      owner.deliver(INFO_ENVELOPE, new GroupJoined(value, group, [pid]));
    }
  }

  /** Takes back one join: a process leaves as often as it joined. Answers whether it was a member. */
  leave(pid: Pid, group: unknown): boolean {
    const process = livingProcess(this.runtime, pid);
    const membership = process === undefined ? undefined : this.memberships.firstOwnedBy(process, group);
    if (membership === undefined) return false;
    this.memberships.remove(membership);
    this.tellOfLeave(group, [pid]);
    return true;
  }

  /** The members, each as often as it joined, in the order they did. They are alive, but may be gone a moment later. */
  members(group: unknown): readonly Pid[] {
    return this.memberships.of(group).map(pidOf);
  }

  /** The groups that have members. */
  groups(): readonly unknown[] {
    return this.memberships.livingKeys();
  }

  /**
   * Lets a process know who joins and leaves `group`: by a {@link GroupJoined} or {@link GroupLeft} message for each change after
   * the members that are returned. It ends with {@link demonitor}, or with the process. Every monitor tells on its own.
   */
  monitor(self: Self, group: unknown): { readonly ref: Ref; readonly members: readonly Pid[] } {
    const ref = this.runtime.newRef();
    const process = actingProcess(this.runtime, self);
    if (process === undefined) return { ref, members: [] };
    this.monitorsByRef.set(ref, this.monitors.add(process, group, ref));
    return { ref, members: this.members(group) };
  }

  /** Ends a monitor. Answers whether it was still on. Messages that already lie in the mailbox stay there. */
  demonitor(ref: Ref): boolean {
    const monitor = this.monitorsByRef.get(ref);
    if (monitor === undefined) return false;
    this.monitors.remove(monitor);
    return this.monitorsByRef.delete(ref);
  }

  private tellOfLeave(group: unknown, pids: readonly Pid[]): void {
    for (const { owner, value } of this.monitors.of(group)) {
      owner.deliver(INFO_ENVELOPE, new GroupLeft(value, group, pids));
    }
  }
}

markAsHandle(ProcessGroups.prototype);

function pidOf({ pid }: { readonly pid: Pid }): Pid {
  return pid;
}

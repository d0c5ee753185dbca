import type { Pid, Ref } from '../../../lib/runtime/pid.js';
import type { Process } from '../../../lib/runtime/process.js';
import type { Job } from '../job.js';
import { MailboxModel, type OverflowModel } from './mailbox-model.js';
import type { CallModel } from './call-model.js';

/** What can wait for a process. */
export type Item =
  | { readonly kind: 'call'; readonly job: Job; readonly call: CallModel }
  | { readonly kind: 'cast' | 'info' | 'timer' | 'continue'; readonly job: Job }
  | { readonly kind: 'down'; readonly ref: Ref; readonly reason: unknown }
  | { readonly kind: 'exit'; readonly from: Pid | undefined; readonly reason: unknown }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'terminate' | 'stop'; readonly reason: unknown }
  | { readonly kind: 'request'; readonly request: SupervisorRequest; readonly call: CallModel }
  | { readonly kind: 'retry'; readonly retry: unknown };

/** What somebody asks of a supervisor. */
export interface SupervisorRequest {
  readonly type: 'startChild' | 'terminateChild' | 'restartChild' | 'deleteChild' | 'whichChildren';
  readonly id: string;
  readonly args: readonly unknown[];
}

/** How a callback has ended. */
export type Outcome =
  | { readonly type: 'reply' | 'replyError'; readonly value: unknown; readonly state?: unknown; readonly next: Next }
  | { readonly type: 'noReply'; readonly state?: unknown; readonly next: Next }
  | { readonly type: 'stop'; readonly reason: unknown; readonly answer?: { readonly value: unknown } }
  | { readonly type: 'fail'; readonly reason: unknown }
  | { readonly type: 'ok'; readonly state: unknown; readonly next: Next }
  | { readonly type: 'ignore' }
  | { readonly type: 'refuse'; readonly reason: unknown };

/** What a result asks for. */
export type Next =
  | { readonly type: 'none' }
  | { readonly type: 'hibernate' }
  | { readonly type: 'timeout'; readonly ms: number }
  | { readonly type: 'continue'; readonly job: Job };

export interface ProcessSetup {
  readonly pid: Pid;
  readonly real: Process;
  readonly label: string;
  readonly parent: ProcessModel | undefined;
  readonly traps: boolean;
  readonly drains: boolean;
  readonly limit: number;
  readonly overflow: OverflowModel;
  readonly idleMs: number;
  readonly startDue: number;
  readonly kind: 'server' | 'supervisor';
}

function isCountable({ kind }: Item): boolean {
  return kind === 'call' || kind === 'cast' || kind === 'info' || kind === 'request';
}

/** What must be true of one life of a process. */
export class ProcessModel {
  status: 'starting' | 'running' | 'exiting' | 'dead' = 'starting';
  /** A callback is under way. */
  busy = false;
  hasBegun = false;
  /** `init` has gone well. */
  hasComeUp = false;
  /** It was killed, and has not ended yet. */
  doom: { readonly reason: unknown } | undefined;
  readonly mailbox: MailboxModel<Item>;
  continuation: Job | undefined;
  /** The continue of `init` waits for a turn. */
  isBetweenTurns = false;
  state: unknown = undefined;
  readonly links = new Set<ProcessModel>();
  linkedToParent: boolean;
  /** Linked processes that have heard of the end. */
  readonly signalled = new Set<ProcessModel>();
  names: string[] = [];
  /** The call in hand, and those whose answer was left for later. */
  call: CallModel | undefined;
  readonly unanswered = new Set<CallModel>();
  /** A callback has ended, and what it gave is about to be applied. */
  pending: Outcome | undefined;
  /** `terminate` has to run now, for this reason. */
  expectedTermination: { readonly reason: unknown } | undefined;
  ending:
    { reason: unknown; isDone: boolean; readonly call: CallModel | undefined; readonly answer: unknown } | undefined;
  /** What its `init` came to. */
  startFailure: { readonly exit: unknown; readonly told: unknown } | 'ignore' | undefined;
  idleDue = Infinity;
  /** Since when it has had nothing to do. */
  quietSince: number | undefined;
  /** SupervisorRecord to compare when it has ended. */
  exitReason: unknown = undefined;
  isStoppedByParent = false;
  /** Until when it may live after its supervisor has asked it to stop. */
  stopDue = Infinity;
  handled = 0;
  /** When its last callback ended, at the latest. */
  endedAt = 0;

  constructor(readonly setup: ProcessSetup) {
    this.mailbox = new MailboxModel(isCountable, setup.limit, setup.overflow);
    this.linkedToParent = setup.parent !== undefined;
  }

  get pid(): Pid {
    return this.setup.pid;
  }

  get label(): string {
    return this.setup.label;
  }

  get isAlive(): boolean {
    return this.status !== 'dead';
  }

  /** Nothing that it does has an effect any more. */
  get isFenced(): boolean {
    return this.doom !== undefined || this.status === 'dead';
  }

  /** Whether `other` is the supervisor that is stopping it, and hears of its end in another way than by the link. */
  isStoppedBy(other: ProcessModel): boolean {
    return this.isStoppedByParent && this.setup.parent === other;
  }

  isLinkedTo(other: ProcessModel): boolean {
    return (
      this.links.has(other) ||
      (this.linkedToParent && this.setup.parent === other) ||
      (other.linkedToParent && other.setup.parent === this)
    );
  }

  link(other: ProcessModel): void {
    if (this === other || this.isLinkedTo(other)) return;
    this.links.add(other);
    other.links.add(this);
  }

  unlink(other: ProcessModel): void {
    this.links.delete(other);
    other.links.delete(this);
    if (this.setup.parent === other) this.linkedToParent = false;
    if (other.setup.parent === this) other.linkedToParent = false;
  }

  /** A callback begins or a request of the system takes effect: time without a message starts anew. */
  cancelIdle(): void {
    this.idleDue = Infinity;
    this.quietSince = undefined;
  }

  /** Whether a message, rather than a request of the system, is the next in the queue (T2). */
  get hasMessage(): boolean {
    const [first] = this.mailbox.items;
    return first !== undefined && first.kind !== 'stop';
  }
}

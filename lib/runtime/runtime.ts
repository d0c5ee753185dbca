import { Deadlines } from './time/deadlines.js';
import { type ExitReason, isCleanExit } from './exits/exit-reason.js';
import { Family } from './relations/family.js';
import { markAsHandle } from './isolation/handle.js';
import type { ProcessLimits } from './limits.js';
import { type Pid, Ref } from './pid.js';
import type {
  Clock,
  EventSink,
  NameService,
  RuntimeEvent,
  RuntimePorts,
  ServerCatalog,
  TopicService,
} from './ports.js';
import type { Redaction } from './secrets/redaction.js';
import { formatName, type ServerName } from './server-name.js';
import { RootContext } from './scheduling/root-context.js';
import { RandomScheduler } from './scheduling/random-scheduler.js';
import { Scheduler } from './scheduling/scheduler.js';
import { childrenOf, type RelatedProcess } from './relations/relations.js';
import { Tracking } from './tracking.js';

/** A process was created and is about to run its `init`. */
export interface ProcessSpawned extends RuntimeEvent {
  readonly type: 'process.spawned';
  readonly pid: Pid;
  readonly label: string;
}

/** A process has ended: its name is free, and its callers, links and monitors were told. */
export interface ProcessExited extends RuntimeEvent {
  readonly type: 'process.exited';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  readonly isClean: boolean;
}

/** A user-defined registry threw when it was asked to free the name of a process that has ended. */
export interface NameNotReleased extends RuntimeEvent {
  readonly type: 'process.name_not_released';
  readonly pid: Pid;
  readonly label: string;
  /** The name, as printed. */
  readonly name: string;
  readonly error: unknown;
}

/**
 * What a set of processes shares: clock, names, scheduler, deadlines. Several runtimes in one Node process are independent of each other.
 */
export class Runtime {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly localNames: NameService;
  readonly globalNames: NameService;
  readonly servers: ServerCatalog;
  readonly topics: TopicService;
  readonly warnsOfSharedState: boolean;
  readonly limits: ProcessLimits;
  readonly redaction: Redaction;
  /** Null when off: tracking slows down every promise of the application. */
  readonly tracking: Tracking | null;
  readonly root = new RootContext();
  readonly scheduler: Scheduler;
  readonly deadlines: Deadlines;
  /**
   * The process whose callback is on the stack right now; null outside of callbacks, and as soon as a callback awaits. Use {@link runAs}
   * to run code on behalf of a process. The two functions that run nearly every callback (`GenServerProcess.invoke` and `runOwnCallback`
   * of `own-callback.ts`) set this field themselves, because one more function call per message is measurable: they set it right before
   * the callback, and reset it to null as soon as the callback has returned or thrown.
   */
  current: RelatedProcess | null = null;
  /** How many casts had no receiver. */
  droppedCasts = 0;

  /** The processes without a live parent. */
  private readonly orphans = new Family<RelatedProcess>();
  private count = 0;
  private lastProcessId = 0;
  private lastRefId = 0;

  /** @param makeTopics  Makes what `self` subscribes and broadcasts on. It belongs to the runtime, so it is made last, for it. */
  constructor(ports: RuntimePorts, makeTopics: (runtime: Runtime) => TopicService) {
    this.clock = ports.clock;
    this.events = ports.events;
    this.localNames = ports.localNames;
    this.globalNames = ports.globalNames;
    this.servers = ports.servers;
    this.warnsOfSharedState = ports.warnsOfSharedState;
    this.limits = ports.limits;
    this.redaction = ports.redaction;
    this.tracking = ports.tracks ? new Tracking() : null;
    this.deadlines = new Deadlines(this.clock, this.root, () => this.scheduler.expectTurnEnd());
    const onTurnEnd = (): void => this.deadlines.settle();
    this.scheduler =
      ports.scheduling === 'random'
        ? new RandomScheduler(this.clock, onTurnEnd, ports.randomness)
        : new Scheduler(this.clock, onTurnEnd);
    this.topics = makeTopics(this);
  }

  /** The number of live processes. */
  get processCount(): number {
    return this.count;
  }

  /** Every live process: parents before their children, older processes before younger ones. */
  processes(): IterableIterator<RelatedProcess> {
    return generations(this.orphans);
  }

  nextProcessId(): number {
    return ++this.lastProcessId;
  }

  nextRefId(): number {
    return ++this.lastRefId;
  }

  newRef(): Ref {
    return new Ref(this.nextRefId());
  }

  /** Runs `work` on behalf of `process`, or, with null, as code outside of any process. Restores {@link current} afterwards. */
  runAs<A, T>(process: RelatedProcess | null, work: (given: A) => T, given: A): T {
    const before = this.current;
    this.current = process;
    try {
      return work(given);
    } finally {
      this.current = before;
    }
  }

  /** Cancels all platform timers. Stop the processes first. */
  close(): void {
    this.deadlines.close();
  }

  /** @internal */
  add(process: RelatedProcess): void {
    this.familyOf(process).add(process);
    this.count++;
    if (this.events.wants('process.spawned')) {
      const event: ProcessSpawned = { type: 'process.spawned', pid: process.pid, label: process.label };
      this.events.emit(event);
    }
  }

  /** @internal */
  remove(process: RelatedProcess): void {
    this.familyOf(process).remove(process);
    const children = process.relations?.children;
    if (children != null) this.orphans.adopt(children);
    this.count--;
  }

  private familyOf({ parent }: RelatedProcess): Family<RelatedProcess> {
    return parent !== null && parent.isAlive ? childrenOf(parent) : this.orphans;
  }

  /** @internal */
  reportUnreleasedName(process: RelatedProcess, name: ServerName, error: unknown): void {
    if (!this.events.wants('process.name_not_released')) return;
    const { pid, label } = process;
    const event: NameNotReleased = { type: 'process.name_not_released', pid, label, name: formatName(name), error };
    this.events.emit(event);
  }

  /** @internal */
  reportExit(process: RelatedProcess, reason: ExitReason): void {
    const isClean = isCleanExit(reason);
    if (!this.events.wants('process.exited', isClean)) return;
    const { pid, label } = process;
    const event: ProcessExited = { type: 'process.exited', pid, label, reason, isClean };
    this.events.emit(event);
  }
}

markAsHandle(Runtime.prototype);

function* generations(family: Family<RelatedProcess>): IterableIterator<RelatedProcess> {
  for (const process of family.members()) {
    if (!process.isAlive) continue;
    yield process;
    const { relations } = process;
    if (relations !== null && relations.children !== null) yield* generations(relations.children);
  }
}

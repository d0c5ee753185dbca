import { createWorld, type RuntimeOptions, type World } from '../create-runtime.js';
import { call, cast, type CallOptions, exit, send, stop } from '../gen-server/client/client.js';
import { type Destination, whereis } from '../gen-server/client/destination.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import { Sys } from '../gen-server/client/sys.js';
import type { GenServerEvent } from '../observability/events.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Clock } from '../runtime/ports.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ChildSpec } from '../supervision/child-spec.js';
import { ChildStartError } from '../supervision/errors.js';
import { processesOf } from '../runtime/process.js';
import { kill, shutDownStray } from '../supervision/shutdown.js';
import { startSupervisor, Supervisor } from '../supervision/supervisor.js';
import { ManualClock } from './manual-clock.js';
import { ServerSources } from './server-sources.js';
import { StartError } from '../gen-server/errors.js';
import { AlreadyStartedError } from '../runtime/errors.js';

/** What a test world may be given instead of the usual. @publicApi */
export interface TestWorldOptions<C extends Clock = ManualClock> extends Omit<RuntimeOptions, 'clock' | 'findServer'> {
  /** Default: a {@link ManualClock} of its own. */
  readonly clock?: C | undefined;
  /**
   * Errors of these classes, thrown by a call handler, are answers and not crashes, as with `forRoot({ replyErrors })`. Default: the
   * same.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an error class whatever its constructor
  readonly replyErrors?: readonly (new (...args: any[]) => Error)[] | undefined;
  /** Is given {@link TestWorld.stop} to call when the test is over: `onTestFinished` of Vitest, or `afterEach`. Default: none. */
  readonly cleanup?: ((stop: () => Promise<void>) => unknown) | undefined;
}

/** A supervisor that gives up in the middle of a test would hide what the test is about. */
const MOST_RESTARTS = 100_000;

/**
 * A world of processes for one test, which shares nothing with any other: no name, no clock, no server. There is no log: what
 * happens is in {@link seen}.
 *
 * @example
 * ```ts no-run: needs the runner of your tests
 * let world: TestWorld;
 * beforeEach(() => (world = new TestWorld()));
 * afterEach(() => world.stop());
 * ```
 *
 * @publicApi
 */
export class TestWorld<C extends Clock = ManualClock> implements World {
  /** Stands still until the test turns it, unless the world was given another clock. */
  readonly clock: C;
  readonly runtime: Runtime;
  readonly events: World['events'];
  readonly localNames: World['localNames'];
  readonly registries: World['registries'];
  readonly groups: World['groups'];
  readonly pubsub: World['pubsub'];
  /** Looks inside running servers, as `runtime.sys` of an application does. */
  readonly sys: Sys;
  /** Every event so far, in order: crashes, restarts, dropped casts. */
  readonly seen: GenServerEvent[] = [];
  /** What stands behind the classes that are started here. @internal */
  readonly sources: ServerSources;
  private root: Promise<Pid> | undefined;
  private stopping: Promise<void> | undefined;

  constructor({ clock, replyErrors, cleanup, ...options }: TestWorldOptions<C> = {}) {
    this.clock = clock ?? (new ManualClock() as Clock as C);
    this.sources = new ServerSources(replyErrors);
    const world = createWorld({
      // Whether it is on by default depends on the version of Node.
      tracking: false,
      ...options,
      clock: this.clock,
      findServer: (server): ServerBlueprint | undefined => this.sources.find(server),
    });
    this.runtime = world.runtime;
    this.events = world.events;
    this.localNames = world.localNames;
    this.registries = world.registries;
    this.groups = world.groups;
    this.pubsub = world.pubsub;
    this.sys = new Sys(this.runtime);
    this.events.onAny((event) => this.seen.push(event));
    cleanup?.(() => this.stop());
  }

  /** Calls a server: a handler of a decorated one by name, with its arguments; a behaviour with the request itself. */
  call<R = unknown>(
    destination: Destination,
    request: unknown,
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<R> {
    return call(this.runtime, destination, request, args, options) as Promise<R>;
  }

  /** As {@link call}, without an answer. */
  cast(destination: Destination, request: unknown, args: readonly unknown[] = []): void {
    cast(this.runtime, destination, request, args);
  }

  /** Sends a plain message. */
  send(destination: Destination, message: unknown): void {
    send(this.runtime, destination, message);
  }

  /** Sends an exit signal: `'kill'` ends a process at once and without `terminate`. */
  exit(destination: Destination, reason: ExitReason): void {
    exit(this.runtime, destination, reason, null);
  }

  /** The process that holds a name now, or a pid itself while it lives. */
  whereis(destination: Destination): Pid | undefined {
    return whereis(this.runtime, destination);
  }

  /** The events of one type, in order. */
  eventsOf<T extends GenServerEvent['type']>(type: T): Extract<GenServerEvent, { type: T }>[] {
    return this.seen.filter((event): event is Extract<GenServerEvent, { type: T }> => event.type === type);
  }

  /**
   * Starts a child of the world's supervisor. Rejects with `StartError`, or with `AlreadyStartedError` when its name is taken.
   *
   * @internal Use `startSupervised`.
   */
  async startChild(spec: ChildSpec, label: string): Promise<Pid> {
    if (this.stopping !== undefined) throw new StartError(label, 'shutdown');
    this.root ??= startSupervisor(this.runtime, {
      label: 'test',
      children: [],
      maxRestarts: MOST_RESTARTS,
    });
    const root = await this.root;
    try {
      const pid = await Supervisor.startChild(this.runtime, root, spec);
      if (pid === undefined) throw new StartError(label, 'ignore');
      return pid;
    } catch (error) {
      if (!(error instanceof ChildStartError)) throw error;
      const { reason } = error;
      throw reason instanceof AlreadyStartedError ? reason : new StartError(label, reason, reason);
    }
  }

  /** Stops a child of the world's supervisor for good. @internal Use `stopSupervised`. */
  async stopChild(pid: Pid): Promise<boolean> {
    const root = await this.root;
    if (root === undefined) return false;
    const children = await Supervisor.whichChildren(this.runtime, root);
    const child = children.find((one) => one.pid === pid);
    if (child === undefined) return false;
    await this.inTime(Supervisor.terminateChild(this.runtime, root, child.id));
    // A temporary one is forgotten already.
    await Supervisor.deleteChild(this.runtime, root, child.id).catch(() => undefined);
    return true;
  }

  /**
   * Stops everything: what `startSupervised` has started, the last one first, each with the time its `shutdownMs` gives it, then
   * all other processes that are alive. A manual clock is turned as far as that takes. Never rejects for what a server does; however
   * often it is called, it happens once.
   */
  stop(): Promise<void> {
    return (this.stopping ??= this.inTime(this.stopAll()));
  }

  private async stopAll(): Promise<void> {
    const root = await this.root?.catch(() => undefined);
    if (root !== undefined) await stop(this.runtime, root, 'shutdown').catch(() => undefined);
    // A process that was started by another is gone before it.
    for (const process of [...processesOf(this.runtime)].reverse()) await shutDownStray(process);
    // A process that was started in a `terminate` gets no time for its own.
    for (const process of [...processesOf(this.runtime)]) await kill(process);
    this.runtime.close();
  }

  private async inTime<T>(work: Promise<T>): Promise<T> {
    return this.clock instanceof ManualClock ? this.clock.advanceUntil(work, Infinity) : work;
  }
}

import type { ProcessLimits } from './limits.js';
import type { Pid } from './pid.js';
import type { Redaction } from './secrets/redaction.js';

/** A platform timer, as {@link Clock.setTimer} returns it. */
export interface TimerHandle {
  /** Stops the timer, so that it does not fire. Cancelling twice, or after it fired, is harmless. */
  cancel(): void;
  /** Keeps the Node process alive while this timer is pending, as it does from the start. */
  ref(): void;
  /** Lets the Node process end although this timer is pending. */
  unref(): void;
  /** Whether the timer will never fire although it was not cancelled. Default: false. */
  readonly isLost?: boolean;
}

/** The only source of time in the library. Tests pass a clock that they advance by hand. */
export interface Clock {
  /** Monotonic time in milliseconds, with fractions. Its zero has no meaning. */
  now(): number;
  /**
   * Whether reading the clock costs as much as handling a message. If so, a timeout of a length that is already pending (typically the
   * timeout of a call) counts from the end of the turn of the event loop in which it was requested: it never fires early, and late by no
   * more than the rest of that turn. Default: false.
   */
  readonly isCostly?: boolean;
  /** Wall-clock time in milliseconds since 1970, for reports only. */
  wallTime(): number;
  /** Calls `fire` once, `delayMs` milliseconds from now. `delayMs` is finite and at most 2^31-1. */
  setTimer(delayMs: number, fire: () => void): TimerHandle;
  /** Calls `turn` in a later turn of the event loop, after timers and I/O had their chance. */
  nextTurn(turn: () => void): void;
  /**
   * Calls `done` when the current platform callback has finished, including the promises that it settles. With this method, servers
   * handle the messages of several callbacks of one turn of the event loop in one batch, which makes a loaded HTTP server faster. Without
   * it, each message is handled right after the callback that sent it. Do not call `done` while {@link nextTurn} is held back, as by fake
   * timers: the batch would wait for that turn.
   */
  afterCallback?(done: () => void): void;
}

/** The only source of randomness in the library. */
export interface Randomness {
  /** Returns a number in [0, 1). */
  random(): number;
}

/**
 * Finds processes by name. One service is for local names, one for `{ global }` names; a cluster provides its own.
 * All operations are synchronous: a name is taken before `init` runs, and free before anyone is told of the exit (I8, N3).
 */
export interface NameService {
  /** Registers `name` for `pid`. Returns the current holder if the name is taken, or `undefined` if it was free. */
  register(name: unknown, pid: Pid): Pid | undefined;
  /** Frees `name` if `pid` holds it. */
  unregister(name: unknown, pid: Pid): void;
  /** The current holder. It may have ended a moment later. */
  whereis(name: unknown): Pid | undefined;
}

/**
 * A user-defined registry, as in Elixir's `{:via, module, term}` (N6). Pass it as `{ via: registry, key }`, both as the name of a server
 * at start and as a destination.
 */
export interface ViaRegistry {
  /**
   * Registers `key` for `pid`; returns `false` if another process holds it. Called before the process runs its `init`. `value` is the
   * `value` of the name `{ via, key, value }`.
   */
  registerName(key: unknown, pid: Pid, value?: unknown): boolean;
  /** Frees `key`. Called once, after the process that was registered under it has ended. */
  unregisterName(key: unknown): void;
  /** The current holder, or `undefined` if there is none. */
  whereisName(key: unknown): Pid | undefined;
  /** Sends `message` to the holder of `key`; throws if there is none. */
  send(key: unknown, message: unknown): void;
}

/** An event of the library. Each folder of `lib/` declares its own events; `observability` knows them all. */
export interface RuntimeEvent {
  readonly type: string;
}

/** Receives events. The runtime asks `wants` before it builds an event, so events cost almost nothing while no listener wants them. */
export interface EventSink {
  /**
   * Whether a listener wants events of this type. `isRoutine` says that nothing went wrong, as in a clean exit, so listeners for failures
   * can skip the event. Default: false.
   */
  wants(type: string, isRoutine?: boolean): boolean;
  emit(event: RuntimeEvent): void;
}

/**
 * Maps the classes and objects that users start as servers to their blueprints. The runtime only passes the catalog on; `gen-server`
 * interprets what `find` returns.
 */
export interface ServerCatalog {
  find(server: unknown): unknown;
  /** The registry of the keys of a server that is started on demand; `undefined` for any other server. */
  keysOf(server: unknown): ViaRegistry | undefined;
}

/**
 * The part of a PubSub that `self` needs: topics that processes subscribe to and broadcast on. A process is identified by its `self`,
 * which the runtime only passes on.
 */
export interface TopicService {
  subscribe(self: object, topic: string, options: { readonly metadata?: unknown }): void;
  unsubscribe(self: object, topic: string): void;
  broadcast(topic: string, message: unknown): void;
}

/** What the runtime needs from its environment. */
export interface RuntimePorts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Which ready process runs next: the one that has waited longest, or a random one. */
  readonly scheduling: 'fair' | 'random';
  readonly events: EventSink;
  readonly localNames: NameService;
  readonly globalNames: NameService;
  readonly servers: ServerCatalog;
  /** Whether to report live state that a server shares with other code. Off in production. */
  readonly warnsOfSharedState: boolean;
  readonly limits: ProcessLimits;
  /** Which parts of states, messages, arguments and reasons may appear in logs, events, traces and errors. */
  readonly redaction: Redaction;
  /** Whether to track which process's handler is running across an `await`. */
  readonly tracks: boolean;
}

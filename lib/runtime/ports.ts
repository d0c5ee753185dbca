import type { ProcessLimits } from './limits.js';
import type { Pid } from './pid.js';
import type { Redaction } from './secrets/redaction.js';

/** A timer of the platform, as {@link Clock.setTimer} gives it. */
export interface TimerHandle {
  /** Stops the timer; it will not fire any more. Cancelling twice, or after it fired, is harmless. */
  cancel(): void;
  /** Lets the Node process wait for this timer (the state a timer starts in). */
  ref(): void;
  /** Lets the Node process end although this timer is pending. */
  unref(): void;
  /** It will never fire, although nobody cancelled it. Default: false. */
  readonly isLost?: boolean;
}

/** The only source of time in the library. Tests bring a clock that is turned by hand. */
export interface Clock {
  /** Monotonic time in milliseconds, with fractions. Its zero means nothing. */
  now(): number;
  /**
   * Reading it costs as much as handling a message. Then timeouts that others of the same length wait for as well (of calls above all)
   * are counted from the end of the turn of the event loop in which they were asked for: never early, and late by no more than that
   * turn still takes. Default: false.
   */
  readonly isCostly?: boolean;
  /** Wall-clock time in milliseconds since 1970, for reports only. */
  wallTime(): number;
  /** Calls `fire` once, `delayMs` milliseconds from now. `delayMs` is finite and at most 2^31-1. */
  setTimer(delayMs: number, fire: () => void): TimerHandle;
  /** Calls `turn` in a later turn of the event loop, after timers and I/O had their chance. */
  nextTurn(turn: () => void): void;
  /**
   * Calls `done` when the callback of the platform that runs now is through, with all promises that it settles. Then servers handle
   * together what several callbacks of one turn of the event loop bring, which makes a loaded HTTP server faster. Without it, each message
   * is handled right after the callback it came in. While {@link nextTurn} is held back, as by fake timers, do not call `done`: what is to
   * be handled together would wait for it.
   */
  afterCallback?(done: () => void): void;
}

/** The only source of randomness in the library. */
export interface Randomness {
  /** A number in [0, 1). */
  random(): number;
}

/**
 * Where processes are found by name. One service for local names, one for `{ global }` names; a cluster brings its own.
 * All operations are synchronous: a name is taken before `init` runs and free before anyone is told of the exit (I8, N3).
 */
export interface NameService {
  /** Takes `name` for `pid`. Answers the present holder when the name is taken, `undefined` when it was free. */
  register(name: unknown, pid: Pid): Pid | undefined;
  /** Frees `name` if `pid` holds it. */
  unregister(name: unknown, pid: Pid): void;
  /** The present holder. It may be gone a moment later. */
  whereis(name: unknown): Pid | undefined;
}

/**
 * A registry of the user's own, as in Elixir's `{:via, module, term}` (N6). It is given to processes as
 * `{ via: registry, key }`, at start and as a destination.
 */
export interface ViaRegistry {
  /**
   * Takes `key` for `pid`; `false` when somebody else holds it. Called before the process runs its `init`. `value` is what the
   * name was given with: `{ via, key, value }`.
   */
  registerName(key: unknown, pid: Pid, value?: unknown): boolean;
  /** Frees `key`. Called once, when the process that was registered under it has ended. */
  unregisterName(key: unknown): void;
  /** The present holder, if there is one. */
  whereisName(key: unknown): Pid | undefined;
  /** Sends `message` to the holder of `key`; throws when there is none. */
  send(key: unknown, message: unknown): void;
}

/** Something that happened. Each room declares its own events; `observability` knows them all. */
export interface RuntimeEvent {
  readonly type: string;
}

/** Where events go. The runtime asks `wants` before it builds an event, so nobody listening, or all who do being asleep, means nearly no work. */
export interface EventSink {
  /** `isRoutine`: all went well, as in a clean exit, so whoever listens for trouble need not hear of it. Default: false. */
  wants(type: string, isRoutine?: boolean): boolean;
  emit(event: RuntimeEvent): void;
}

/**
 * Knows what stands behind the classes and objects that are started as servers. The runtime only hands it on: what it
 * answers is the business of `gen-server`.
 */
export interface ServerCatalog {
  find(server: unknown): unknown;
  /** Where the keys of a server that is started on demand are found; undefined for any other. */
  keysOf(server: unknown): ViaRegistry | undefined;
}

/**
 * Topics that processes subscribe to and broadcast on: what `self` needs of a PubSub. A process is given as its `self`, which
 * the runtime only hands on.
 */
export interface TopicService {
  subscribe(self: object, topic: string, options: { readonly metadata?: unknown }): void;
  unsubscribe(self: object, topic: string): void;
  broadcast(topic: string, message: unknown): void;
}

/** What the runtime needs of the world around it. */
export interface RuntimePorts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Whose turn is next: who has waited longest, or any at random. */
  readonly scheduling: 'fair' | 'random';
  readonly events: EventSink;
  readonly localNames: NameService;
  readonly globalNames: NameService;
  readonly servers: ServerCatalog;
  /** Whether to point out live state that is handed to somebody else. Off in production. */
  readonly warnsOfSharedState: boolean;
  readonly limits: ProcessLimits;
  /** What of states, messages, arguments and reasons may be shown to whoever reads logs, events, traces and errors. */
  readonly redaction: Redaction;
  /** Whether to know whose handler runs after an `await` as well. */
  readonly tracks: boolean;
}

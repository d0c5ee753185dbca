import { markAsHandle } from '../runtime/isolation/handle.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Runtime } from '../runtime/runtime.js';
import { noReply, ok, reply, stop } from './results/callback-result.js';
import { call, cast, type CallOptions, stop as stopServer } from './client/client.js';
import { type Addressed, type Destination, DESTINATION, whereis } from './client/destination.js';
import { NoProcessError } from './errors.js';
import { GenServerBase } from './gen-server-base.js';
import { serverOf } from './process/process-handle.js';
import type { Self } from './self.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
  type ServerBlueprint,
} from './definition/server-definition.js';
import { start } from './client/start.js';
import type { StartOptions } from './definition/start-options.js';
import { isThenable } from './results/thenable.js';

type MaybePromise<T> = T | PromiseLike<T>;

/**
 * The start options of an agent.
 *
 * @publicApi
 */
export type AgentOptions = Omit<StartOptions, 'args' | 'isolation'>;

/** The server behind an agent. The argument of each request is the function to run on the state. */
class AgentServer extends GenServerBase<unknown> {
  constructor(private readonly makeState: () => unknown) {
    super();
  }

  override init(): never {
    return withValue(this.makeState(), (state) => ok(state)) as never;
  }

  get(read: (state: unknown) => unknown): unknown {
    return withValue(read(this.state), (value) => reply(value));
  }

  update(change: (state: unknown) => unknown): unknown {
    return withValue(change(this.state), (state) => reply('ok', state));
  }

  getAndUpdate(change: (state: unknown) => unknown): unknown {
    return withValue(change(this.state), (pair) =>
      Array.isArray(pair) && pair.length === 2
        ? reply(pair[0] as unknown, pair[1] as unknown)
        : stop({ badReturnValue: pair }),
    );
  }

  cast(change: (state: unknown) => unknown): unknown {
    return withValue(change(this.state), (state) => noReply(state));
  }
}

/** Makes a result of a value, at once or when its promise is fulfilled. */
function withValue(value: unknown, makeResult: (value: unknown) => unknown): unknown {
  return isThenable(value) ? Promise.resolve(value).then(makeResult) : makeResult(value);
}

// Untyped methods: an invocation calls a handler with its instance.
const methods = AgentServer.prototype as unknown as Readonly<Record<string, HandlerMethod>>;
const handlers = (...names: string[]): ReadonlyMap<string, Handler> =>
  new Map(names.map((name) => [name, new Handler(name, methods[name]!)]));

const DEFINITION: ServerDefinition = {
  label: 'Agent',
  calls: handlers('get', 'update', 'getAndUpdate'),
  casts: handlers('cast'),
  infos: new InfoHandlers(),
  continues: new Map(),
  isReplyError: () => false,
};

/**
 * A process that only holds a state, for cases in which a server class would be mere boilerplate. Callers pass functions that read or
 * change the state. The functions run in the agent's process, one at a time even if they are async (A1). A function that throws ends the
 * agent, and the caller's promise rejects with `ServerExitedError`.
 *
 * `get` returns the live state, not a copy: copy or freeze what callers could change.
 *
 * @publicApi
 */
export class Agent<S> implements Addressed {
  readonly [DESTINATION]: Destination;
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime, destination: Destination) {
    this.#runtime = runtime;
    this[DESTINATION] = destination;
  }

  /**
   * Starts an agent whose first state is what `makeState` returns.
   *
   * @throws {StartError} `makeState` threw, or took longer than `startTimeoutMs` (A2). There is no agent.
   * @throws {AlreadyStartedError} Another process holds the name. There is no second agent.
   */
  static async start<S>(runtime: Runtime, makeState: () => MaybePromise<S>, options?: AgentOptions): Promise<Agent<S>> {
    return new Agent<S>(runtime, await start(runtime, Agent.source(makeState), options));
  }

  /**
   * Like {@link start}, linked to the process with the given `self`, which becomes the parent. Throws `NoProcessError` if that process has
   * ended.
   */
  static async startLink<S>(parent: Self, makeState: () => MaybePromise<S>, options?: AgentOptions): Promise<Agent<S>> {
    const server = serverOf(parent);
    if (server.isFenced) throw new NoProcessError(server.pid.toString());
    return new Agent<S>(
      server.runtime,
      await start(server.runtime, Agent.source(makeState), options, { parent: server }),
    );
  }

  /** Returns a client for an agent that is already running. With a name, each request goes to the current holder, also after a restart. */
  static of<S>(runtime: Runtime, destination: Destination): Agent<S> {
    return new Agent<S>(runtime, destination);
  }

  /** Returns the blueprint that a supervisor needs to start an agent: `childSpec(Agent.source(() => 0), { name: 'counter' })`. */
  static source(makeState: () => unknown): ServerBlueprint {
    return { definition: DEFINITION, create: () => new AgentServer(makeState) };
  }

  /** The pid of the agent, or undefined if it is not running. */
  get pid(): Pid | undefined {
    return whereis(this.#runtime, this[DESTINATION]);
  }

  /** Calls `read` with the state, and resolves to what it returns. The state stays as it is. */
  get<R>(read: (state: S) => MaybePromise<R>, options?: CallOptions): Promise<R> {
    return this.#call<R>('get', read, options);
  }

  /** Replaces the state by what `change` returns for it, and resolves once that is done. */
  update(change: (state: S) => MaybePromise<S>, options?: CallOptions): Promise<'ok'> {
    return this.#call<'ok'>('update', change, options);
  }

  /**
   * Reads and replaces the state in one step: `change` returns a pair of the answer and the next state. Anything else is a bad return value
   * and ends the agent.
   */
  getAndUpdate<R>(
    change: (state: S) => MaybePromise<readonly [answer: R, state: S]>,
    options?: CallOptions,
  ): Promise<R> {
    return this.#call<R>('getAndUpdate', change, options);
  }

  /** Replaces the state by what `change` returns for it, without waiting. If the agent is not running, the request is lost (C8). */
  cast(change: (state: S) => MaybePromise<S>): void {
    cast(this.#runtime, this[DESTINATION], 'cast', [change]);
  }

  /**
   * Stops the agent after it has handled the requests that are already queued, and resolves when it has ended.
   *
   * @param reason  The exit reason. Default: `'normal'`.
   * @param timeoutMs  How long to wait for the end, in milliseconds. Default: `Infinity`.
   */
  stop(reason: ExitReason = 'normal', timeoutMs = Infinity): Promise<void> {
    return stopServer(this.#runtime, this[DESTINATION], reason, timeoutMs);
  }

  #call<R>(request: string, work: unknown, options?: CallOptions): Promise<R> {
    return call(this.#runtime, this[DESTINATION], request, [work], options) as Promise<R>;
  }
}

markAsHandle(Agent.prototype);

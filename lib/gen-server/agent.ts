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
 * How an agent is started.
 *
 * @publicApi
 */
export type AgentOptions = Omit<StartOptions, 'args' | 'isolation'>;

/** The server behind an agent: its requests are the functions that it is to run. */
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

/** The result that a value makes, now or when it is there. */
function withValue(value: unknown, makeResult: (value: unknown) => unknown): unknown {
  return isThenable(value) ? Promise.resolve(value).then(makeResult) : makeResult(value);
}

// Seen as plain methods: whoever runs a handler gives it its instance.
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
 * A process that is nothing but its state, for when a server class would be all boilerplate. What is done with the state is said by
 * functions, which run in the agent, one at a time, also when they are async (A1). A function that throws takes the agent down, and
 * the promise of whoever sent it rejects with `ServerExitedError`.
 *
 * A state that is given away by `get` is the live one: copy or freeze what may be changed.
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

  /** Starts an agent; its first state is what `makeState` gives. Rejects with `StartError` when that fails (A2). */
  static async start<S>(runtime: Runtime, makeState: () => MaybePromise<S>, options?: AgentOptions): Promise<Agent<S>> {
    return new Agent<S>(runtime, await start(runtime, Agent.source(makeState), options));
  }

  /** The same, linked to the process whose `self` is given: it becomes the parent. */
  static async startLink<S>(parent: Self, makeState: () => MaybePromise<S>, options?: AgentOptions): Promise<Agent<S>> {
    const server = serverOf(parent);
    if (server.isFenced) throw new NoProcessError(server.pid.toString());
    return new Agent<S>(
      server.runtime,
      await start(server.runtime, Agent.source(makeState), options, { parent: server }),
    );
  }

  /** An agent that somebody else has started: by its name it is whoever holds that, also after a restart. */
  static of<S>(runtime: Runtime, destination: Destination): Agent<S> {
    return new Agent<S>(runtime, destination);
  }

  /** What a supervisor needs to start an agent: `childSpec(Agent.source(() => 0), { name: 'counter' })`. */
  static source(makeState: () => unknown): ServerBlueprint {
    return { definition: DEFINITION, create: () => new AgentServer(makeState) };
  }

  /** The process, while there is one. */
  get pid(): Pid | undefined {
    return whereis(this.#runtime, this[DESTINATION]);
  }

  /** What `read` makes of the state. */
  get<R>(read: (state: S) => MaybePromise<R>, options?: CallOptions): Promise<R> {
    return this.#call<R>('get', read, options);
  }

  /** Replaces the state by what `change` makes of it, and resolves when that is done. */
  update(change: (state: S) => MaybePromise<S>, options?: CallOptions): Promise<'ok'> {
    return this.#call<'ok'>('update', change, options);
  }

  /** Both at once: `change` gives the answer and the next state. Anything else is a bad return value and ends the agent. */
  getAndUpdate<R>(
    change: (state: S) => MaybePromise<readonly [answer: R, state: S]>,
    options?: CallOptions,
  ): Promise<R> {
    return this.#call<R>('getAndUpdate', change, options);
  }

  /** Replaces the state by what `change` makes of it, without waiting for that. */
  cast(change: (state: S) => MaybePromise<S>): void {
    cast(this.#runtime, this[DESTINATION], 'cast', [change]);
  }

  /** Ends the agent after everything that is queued. */
  stop(reason: ExitReason = 'normal', timeoutMs = Infinity): Promise<void> {
    return stopServer(this.#runtime, this[DESTINATION], reason, timeoutMs);
  }

  #call<R>(request: string, work: unknown, options?: CallOptions): Promise<R> {
    return call(this.#runtime, this[DESTINATION], request, [work], options) as Promise<R>;
  }
}

markAsHandle(Agent.prototype);

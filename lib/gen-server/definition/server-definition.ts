import { walkPrototypes } from '../../runtime/prototype-chain.js';
import { CAST } from '../../runtime/mailbox/envelope.js';
import type { SecretArguments } from '../../runtime/secrets/redaction.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import type { ServerInstance } from './server-instance.js';
import type { StartOptions } from './start-options.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a user's method, called with what was sent
export type HandlerMethod = (this: any, ...args: any[]) => unknown;

/** How many arguments a payload holds: none, the payload itself, or an array of them. */
type Arity = 0 | 1 | 2;

/**
 * A handler together with the form its arguments travel in. Doubles as the envelope of a cast, so that a cast with at most
 * one argument allocates nothing.
 */
export class Invocation implements Envelope {
  readonly kind = CAST;

  constructor(
    readonly handler: Handler,
    private readonly method: HandlerMethod,
    readonly arity: Arity,
  ) {}

  on(instance: ServerInstance, payload: unknown): unknown {
    if (this.arity === 1) return this.method.call(instance, payload);
    if (this.arity === 0) return this.method.call(instance);
    return this.method.apply(instance, payload as unknown[]);
  }

  argumentsOf(payload: unknown): readonly unknown[] {
    if (this.arity === 1) return [payload];
    return this.arity === 0 ? [] : (payload as unknown[]);
  }
}

/** One callback of a server, under the name or tag it answers to. */
export class Handler {
  readonly none: Invocation;
  readonly one: Invocation;
  readonly many: Invocation;

  constructor(
    readonly name: string | symbol,
    method: HandlerMethod,
    /** The call timeout of this handler, where it has one of its own. */
    readonly timeoutMs?: number,
    /** Which of its arguments nobody may see. */
    readonly secrets?: SecretArguments,
  ) {
    this.none = new Invocation(this, method, 0);
    this.one = new Invocation(this, method, 1);
    this.many = new Invocation(this, method, 2);
  }

  invocationFor(args: readonly unknown[]): Invocation {
    return args.length === 0 ? this.none : args.length === 1 ? this.one : this.many;
  }

  /** The invocation for the payload that was made for another handler. */
  inPlaceOf({ arity }: Invocation): Invocation {
    return arity === 0 ? this.none : arity === 1 ? this.one : this.many;
  }
}

/** The payload for an invocation made by {@link Handler.invocationFor}. */
export function payloadOf(args: readonly unknown[]): unknown {
  return args.length === 0 ? undefined : args.length === 1 ? args[0] : args;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a message class of any form
type MessageClass = abstract new (...args: any[]) => unknown;

/** Finds the handler of an info by its class, by the string or symbol that it is or has as `type`, else the rest. */
export class InfoHandlers {
  private readonly byTag = new Map<string | symbol, Handler>();
  private readonly byClass = new Map<MessageClass, Handler>();
  private rest: Handler | undefined;
  /** Made once and not for each message. */
  private readonly handlerOf = (prototype: object): Handler | undefined =>
    this.byClass.get((prototype as { constructor: MessageClass }).constructor);

  /** Answers the handler that was there before: two handlers for one tag are a mistake. */
  add(tag: string | symbol | MessageClass | undefined, handler: Handler): Handler | undefined {
    let present: Handler | undefined;
    if (tag === undefined) {
      present = this.rest;
      this.rest = handler;
    } else if (typeof tag === 'function') {
      present = this.byClass.get(tag);
      this.byClass.set(tag, handler);
    } else {
      present = this.byTag.get(tag);
      this.byTag.set(tag, handler);
    }
    return present;
  }

  find(message: unknown): Handler | undefined {
    if (typeof message === 'string' || typeof message === 'symbol') return this.byTag.get(message) ?? this.rest;
    if (typeof message !== 'object' || message === null) return this.rest;
    try {
      return this.findByClass(message) ?? this.findByType(message) ?? this.rest;
    } catch {
      // What cannot be looked at (a getter or a proxy that throws) has no tag. Whoever sends it must not end the receiver by that.
      return this.rest;
    }
  }

  /** The message's own class first, then what it extends. */
  private findByClass(message: object): Handler | undefined {
    if (this.byClass.size === 0) return undefined;
    return walkPrototypes(Object.getPrototypeOf(message) as object | null, this.handlerOf);
  }

  private findByType(message: object): Handler | undefined {
    const { type } = message as { type?: unknown };
    return typeof type === 'string' || typeof type === 'symbol' ? this.byTag.get(type) : undefined;
  }
}

/**
 * A server as the runtime runs it: which names lead to which code. Nothing that is not in here can be invoked, whatever is
 * sent. Made once per class or behaviour.
 */
export interface ServerDefinition {
  /** The name for people. */
  readonly label: string;
  readonly calls: ReadonlyMap<string | symbol, Handler>;
  readonly casts: ReadonlyMap<string | symbol, Handler>;
  readonly infos: InfoHandlers;
  readonly continues: ReadonlyMap<string | symbol, Handler>;
  /** A plain behaviour takes whatever is asked with one callback. */
  readonly anyCall?: Handler;
  readonly anyCast?: Handler;
  readonly anyContinue?: Handler;
  /** Whether an error thrown by a call handler is a business error, to be answered as `replyError` would. */
  isReplyError(error: unknown): boolean;
  /** Default timeout of calls; 5 000 ms when absent. */
  readonly callTimeoutMs?: number;
  /** Of the code, for `codeChange`. */
  readonly version?: string | number;
  /** Is told of changes of the configuration. */
  readonly configChange?: Handler;
  /** Acts on exits of its children before anything else runs. */
  readonly isSupervisor?: boolean;
}

/** A server that can be started: what it is, and how an instance for the next incarnation is made. */
export interface ServerBlueprint {
  readonly definition: ServerDefinition;
  /** How it is started where the start says nothing else. */
  readonly defaults?: StartOptions;
  create(): ServerInstance | Promise<ServerInstance>;
}

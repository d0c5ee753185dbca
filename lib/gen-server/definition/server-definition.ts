import { walkPrototypes } from '../../runtime/prototype-chain.js';
import { CAST } from '../../runtime/mailbox/envelope.js';
import type { SecretArguments } from '../../runtime/secrets/redaction.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import type { ServerInstance } from './server-instance.js';
import type { StartOptions } from './start-options.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a user's method, called with the arguments that were sent
export type HandlerMethod = (this: any, ...args: any[]) => unknown;

/** What a payload holds: 0 means no argument, 1 means that it is the only argument, 2 means an array of the arguments. */
type Arity = 0 | 1 | 2;

/**
 * A handler and the form in which its arguments are sent. It is also the envelope of a cast, so that a cast with at most one argument
 * allocates nothing.
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

/** One callback of a server, with the name or tag that messages use for it. */
export class Handler {
  readonly none: Invocation;
  readonly one: Invocation;
  readonly many: Invocation;

  constructor(
    readonly name: string | symbol,
    method: HandlerMethod,
    /** The call timeout of this handler in milliseconds, if it differs from that of the server. */
    readonly timeoutMs?: number,
    /** Which of its arguments must not be shown. */
    readonly secrets?: SecretArguments,
  ) {
    this.none = new Invocation(this, method, 0);
    this.one = new Invocation(this, method, 1);
    this.many = new Invocation(this, method, 2);
  }

  invocationFor(args: readonly unknown[]): Invocation {
    return args.length === 0 ? this.none : args.length === 1 ? this.one : this.many;
  }

  /** The invocation of this handler for a payload that was made for `invocation` of another handler. */
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

/** Finds the handler of an info: by its class, then by its tag (the string or symbol that it is, or has as `type`), else the catch-all. */
export class InfoHandlers {
  private readonly byTag = new Map<string | symbol, Handler>();
  private readonly byClass = new Map<MessageClass, Handler>();
  private catchAll: Handler | undefined;
  /** Created once, because a closure per message would cost too much. */
  private readonly handlerOf = (prototype: object): Handler | undefined =>
    this.byClass.get((prototype as { constructor: MessageClass }).constructor);

  /**
   * Adds the handler of a tag or class; undefined means the catch-all. Returns the previous one: two handlers for one tag are a mistake.
   */
  add(tag: string | symbol | MessageClass | undefined, handler: Handler): Handler | undefined {
    let present: Handler | undefined;
    if (tag === undefined) {
      present = this.catchAll;
      this.catchAll = handler;
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
    if (typeof message === 'string' || typeof message === 'symbol') return this.byTag.get(message) ?? this.catchAll;
    if (typeof message !== 'object' || message === null) return this.catchAll;
    try {
      return this.findByClass(message) ?? this.findByType(message) ?? this.catchAll;
    } catch {
      // A message whose getter or proxy throws has no tag. Its sender must not be able to crash the receiver with it.
      return this.catchAll;
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
 * The handlers of a server by name. No message can invoke anything else, whatever it contains. Made once per class or behaviour.
 */
export interface ServerDefinition {
  /** The name of the server in errors and events. */
  readonly label: string;
  readonly calls: ReadonlyMap<string | symbol, Handler>;
  readonly casts: ReadonlyMap<string | symbol, Handler>;
  readonly infos: InfoHandlers;
  readonly continues: ReadonlyMap<string | symbol, Handler>;
  /** The single callback by which a plain behaviour takes every call; likewise for casts and continues. */
  readonly anyCall?: Handler;
  readonly anyCast?: Handler;
  readonly anyContinue?: Handler;
  /** Whether an error thrown by a call handler is a business error, which goes to the caller as with `replyError`. */
  isReplyError(error: unknown): boolean;
  /** The default timeout of calls in milliseconds; 5 000 if absent. */
  readonly callTimeoutMs?: number;
  /** The version of the code, for `codeChange`. */
  readonly version?: string | number;
  /** The handler of configuration changes. */
  readonly configChange?: Handler;
  /** Whether the server handles exits of its children before any other process runs. */
  readonly isSupervisor?: boolean;
}

/** What a server is started from: its definition, and a way to create an instance for each incarnation. */
export interface ServerBlueprint {
  readonly definition: ServerDefinition;
  /** The start options to use for those that a start leaves out. */
  readonly defaults?: StartOptions;
  create(): ServerInstance | Promise<ServerInstance>;
}

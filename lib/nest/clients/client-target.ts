import { callServer, castToServer, DEFAULT_CALL_TIMEOUT_MS, reportDroppedCast } from '../../gen-server/client.js';
import { DESTINATION, type Destination, formatDestination } from '../../gen-server/destination.js';
import { describeRequest } from '../../gen-server/call-request.js';
import {
  CallTimeoutError,
  NoProcessError,
  type RequestDescription,
  UnknownHandlerError,
} from '../../gen-server/errors.js';
import type { GenServerProcess } from '../../gen-server/gen-server-process.js';
import { type Handler, payloadOf, type ServerDefinition } from '../../gen-server/server-definition.js';
import { CallbackDeadline } from '../../runtime/callback-deadline.js';
import { assertDurationMs } from '../../runtime/errors.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ClientOptions } from './gen-server-client.js';

/** Whom a client talks to, and how it finds out whether they are there. */
export interface ClientTarget {
  readonly runtime: Runtime;
  readonly destination: Destination;
  /** What the server is, as far as the client knows; what actually runs may be an override. */
  readonly definition: ServerDefinition;
  find(): GenServerProcess | undefined;
  /** For a target that can be brought up: tells who takes the message, or why nobody does, now or later, in order of asking. */
  whenAccepting?(arrival: (server: GenServerProcess | Error) => void): void;
  /** Why it may not be there. */
  absenceHint(): string;
}

/** Under these keys a client of the generated prototype keeps what it is bound to. */
const TARGET = Symbol('target');
const TIMEOUT_MS = Symbol('timeoutMs');

interface BoundClient {
  readonly [TARGET]: ClientTarget;
  readonly [TIMEOUT_MS]: number | undefined;
}

type ClientMethod = (...args: unknown[]) => unknown;

/**
 * A client with methods of its own, as it is injected: a plain object, writable, so that spies and decorators of instances
 * work, and without a method that Nest could take for a hook.
 */
export function makeClient(target: ClientTarget, stubs: readonly (string | symbol)[]): object {
  const { calls, casts } = target.definition;
  const client: Record<string | symbol, ClientMethod> = {};
  for (const [name, handler] of calls)
    client[name] = callMethod(
      handler,
      () => target,
      () => undefined,
    );
  for (const [name, handler] of casts) client[name] = castMethod(handler, () => target);
  for (const name of stubs) client[name] = stubMethod(target.definition, name);
  hide(client, 'with', (options: ClientOptions) => bind(target, options, stubs));
  hide(client, DESTINATION, target.destination);
  return client;
}

const prototypes = new WeakMap<ServerDefinition, object>();

/** A client that costs two fields: its methods are those of one prototype per server. */
export function bind(target: ClientTarget, options: ClientOptions, stubs: readonly (string | symbol)[]): object {
  const { timeoutMs } = options;
  if (timeoutMs !== undefined) assertDurationMs(timeoutMs, `timeoutMs of a client of ${target.definition.label}`, true);
  const client = Object.create(prototypeFor(target.definition, stubs)) as object;
  hide(client, TARGET, target);
  hide(client, TIMEOUT_MS, timeoutMs);
  hide(client, DESTINATION, target.destination);
  return client;
}

function prototypeFor(definition: ServerDefinition, stubs: readonly (string | symbol)[]): object {
  const present = prototypes.get(definition);
  if (present !== undefined) return present;
  const prototype: Record<string | symbol, ClientMethod> = {};
  const targetOf = (client: unknown): ClientTarget => (client as BoundClient)[TARGET];
  const timeoutOf = (client: unknown): number | undefined => (client as BoundClient)[TIMEOUT_MS];
  for (const [name, handler] of definition.calls) prototype[name] = callMethod(handler, targetOf, timeoutOf);
  for (const [name, handler] of definition.casts) prototype[name] = castMethod(handler, targetOf);
  for (const name of stubs) prototype[name] = stubMethod(definition, name);
  hide(prototype, 'with', function (this: BoundClient, options: ClientOptions) {
    return bind(this[TARGET], options, stubs);
  });
  // What it is bound to leads into the runtime, and a printer would follow.
  hide(prototype, Symbol.for('nodejs.util.inspect.custom'), () => `GenServerClient(${definition.label})`);
  prototypes.set(definition, prototype);
  return prototype;
}

/* eslint-disable prefer-rest-params -- zero and one argument travel without an array */

function callMethod(
  handler: Handler,
  targetOf: (client: unknown) => ClientTarget,
  timeoutOf: (client: unknown) => number | undefined,
): ClientMethod {
  return function (this: unknown, first?: unknown): unknown {
    const target = targetOf(this);
    let server: GenServerProcess | undefined;
    try {
      server = target.find();
    } catch (error) {
      // A registry of the user's own may throw. A call rejects, whatever happens.
      return Promise.reject(error);
    }
    if (server === undefined) {
      if (target.whenAccepting === undefined) return refuseCall(target);
      return callWhenAccepting(target, handler, Array.from(arguments), timeoutOf(this));
    }
    let found = handler;
    if (server.definition !== target.definition) {
      const other = server.definition.calls.get(handler.name);
      if (other === undefined) return refuseUnknown(server, handler);
      found = other;
    }
    const timeoutMs = timeoutOf(this) ?? found.timeoutMs ?? server.definition.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    if (arguments.length === 0) return callServer(server, found.none, undefined, timeoutMs);
    if (arguments.length === 1) return callServer(server, found.one, first, timeoutMs);
    return callServer(server, found.many, Array.from(arguments), timeoutMs);
  };
}

function castMethod(handler: Handler, targetOf: (client: unknown) => ClientTarget): ClientMethod {
  return function (this: unknown, first?: unknown): void {
    const target = targetOf(this);
    const server = findQuietly(target);
    if (server === undefined && target.whenAccepting !== undefined) {
      castWhenAccepting(target, handler, Array.from(arguments));
      return;
    }
    if (server === undefined) {
      reportDroppedCast(target.runtime, formatDestination(target.destination), handler.name, target.absenceHint());
      return;
    }
    let found = handler;
    if (server.definition !== target.definition) {
      const other = server.definition.casts.get(handler.name);
      if (other === undefined) {
        throw new UnknownHandlerError(server.label, 'cast', handler.name, server.definition.casts.keys());
      }
      found = other;
    }
    if (arguments.length === 0) castToServer(server, found.none, undefined);
    else if (arguments.length === 1) castToServer(server, found.one, first);
    else castToServer(server, found.many, payloadOf(Array.from(arguments)));
  };
}

/* eslint-enable prefer-rest-params */

/** A call to a server that comes up first. Its timeout counts from now on (C2). */
function callWhenAccepting(
  target: ClientTarget,
  handler: Handler,
  args: readonly unknown[],
  givenMs: number | undefined,
): Promise<unknown> {
  const { runtime, definition } = target;
  const timeoutMs = givenMs ?? handler.timeoutMs ?? definition.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const begin = runtime.clock.now();
    const waiting = new CallbackDeadline(() =>
      reject(new CallTimeoutError(definition.label, describe(runtime, handler, args), timeoutMs, 'waiting', 0)),
    );
    runtime.deadlines.add(waiting, timeoutMs);
    target.whenAccepting!((server) => {
      waiting.cancel();
      if (server instanceof Error) {
        reject(server);
        return;
      }
      const leftMs = Math.max(0, timeoutMs - (runtime.clock.now() - begin));
      // Also when the caller has given up: a request that was made is handled (P6).
      callServer(server, handler.invocationFor(args), payloadOf(args), leftMs).then(resolve, reject);
    });
  });
}

function castWhenAccepting(target: ClientTarget, handler: Handler, args: readonly unknown[]): void {
  target.whenAccepting!((server) => {
    if (!(server instanceof Error)) castToServer(server, handler.invocationFor(args), payloadOf(args));
    else reportDroppedCast(target.runtime, formatDestination(target.destination), handler.name, server.message);
  });
}

function describe(runtime: Runtime, handler: Handler, args: readonly unknown[]): RequestDescription {
  return describeRequest(runtime, handler.invocationFor(args), payloadOf(args));
}

/** A registry of the user's own may throw; a cast knows no failure (C8). */
function findQuietly(target: ClientTarget): GenServerProcess | undefined {
  try {
    return target.find();
  } catch {
    return undefined;
  }
}

/** Stands for a public method that is no handler, so that using it says what is missing instead of `not a function`. */
function stubMethod({ label }: ServerDefinition, name: string | symbol): ClientMethod {
  return () => {
    throw new TypeError(
      `${label}.${String(name)} is not on the client, because it is no handler. Decorate it with @HandleCall() or @HandleCast().`,
    );
  };
}

function refuseCall(target: ClientTarget): Promise<never> {
  return Promise.reject(new NoProcessError(formatDestination(target.destination), target.absenceHint()));
}

function refuseUnknown({ label, definition }: GenServerProcess, { name }: Handler): Promise<never> {
  return Promise.reject(new UnknownHandlerError(label, 'call', name, definition.calls.keys()));
}

/** Not enumerable, so that logging, comparing or spreading a client shows its methods and nothing else. */
function hide(target: object, key: string | symbol, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}

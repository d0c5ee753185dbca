import {
  callServer,
  castToServer,
  DEFAULT_CALL_TIMEOUT_MS,
  reportDroppedCast,
} from '../../gen-server/client/client.js';
import { DESTINATION, type Destination, formatDestination } from '../../gen-server/client/destination.js';
import { describeRequest } from '../../gen-server/process/call-request.js';
import { CallTimeoutError, NoProcessError, UnknownHandlerError } from '../../gen-server/errors.js';
import type { GenServerProcess } from '../../gen-server/process/gen-server-process.js';
import type { Handler, Invocation, ServerDefinition } from '../../gen-server/definition/server-definition.js';
import { Settlement } from '../../runtime/time/settlement.js';
import { assertDurationMs } from '../../runtime/errors.js';
import { markAsHandle } from '../../runtime/isolation/handle.js';
import type { Runtime } from '../../runtime/runtime.js';
import { markAsPrinted } from '../../runtime/secrets/value-kind.js';
import type { ClientOptions } from './gen-server-client.js';

/** The server that a client talks to, and how the client finds its process. */
export interface ClientTarget {
  readonly runtime: Runtime;
  readonly destination: Destination;
  /** The definition that the client was made from. The process that runs may have another: an override. */
  readonly definition: ServerDefinition;
  find(): GenServerProcess | undefined;
  /**
   * Only of a target that can be started: gives the process that takes the message, or the reason why none does, now or later and in the
   * order of the requests.
   */
  whenAccepting?(arrival: (server: GenServerProcess | Error) => void): void;
  /** Why the server may not be there. */
  absenceHint(): string;
}

/** The keys under which a client with the generated prototype keeps its bindings. */
const TARGET = Symbol('target');
const TIMEOUT_MS = Symbol('timeoutMs');

interface BoundClient {
  readonly [TARGET]: ClientTarget;
  readonly [TIMEOUT_MS]: number | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- some are called on a client, some on anything
type ClientMethod = (this: any, ...args: unknown[]) => unknown;

/**
 * A client with methods of its own, as it is injected: a plain object, writable, so that spies and decorators of instances
 * work, and without a method that Nest could take for a hook.
 */
export function makeClient(target: ClientTarget, stubs: readonly (string | symbol)[]): object {
  const { calls, casts } = target.definition;
  const client: Record<string | symbol, ClientMethod> = {};
  for (const [name, handler] of calls) client[name] = callMethod(handler, target);
  for (const [name, handler] of casts) client[name] = castMethod(handler, target);
  for (const name of stubs) client[name] = stubMethod(target.definition, name);
  hide(client, 'with', (options: ClientOptions) => bind(target, options, stubs));
  hide(client, DESTINATION, target.destination);
  markAsHandle(client);
  return client;
}

const prototypes = new WeakMap<ServerDefinition, object>();

/** A client that costs a field or two: its methods are those of one prototype per server. */
export function bind(target: ClientTarget, { timeoutMs }: ClientOptions, stubs: readonly (string | symbol)[]): object {
  const client = Object.create(prototypeFor(target.definition, stubs)) as object;
  hide(client, TARGET, target);
  if (timeoutMs !== undefined) {
    assertDurationMs(timeoutMs, `timeoutMs of a client of ${target.definition.label}`, true);
    hide(client, TIMEOUT_MS, timeoutMs);
  }
  return client;
}

function prototypeFor(definition: ServerDefinition, stubs: readonly (string | symbol)[]): object {
  const present = prototypes.get(definition);
  if (present !== undefined) return present;
  const prototype: Record<string | symbol, ClientMethod> = {};
  for (const [name, handler] of definition.calls) prototype[name] = boundCallMethod(handler);
  for (const [name, handler] of definition.casts) prototype[name] = boundCastMethod(handler);
  for (const name of stubs) prototype[name] = stubMethod(definition, name);
  hide(prototype, 'with', function (this: BoundClient, options: ClientOptions) {
    return bind(this[TARGET], options, stubs);
  });
  hide(prototype, TIMEOUT_MS, undefined);
  Object.defineProperty(prototype, DESTINATION, {
    get(this: BoundClient): Destination {
      return this[TARGET].destination;
    },
  });
  // The bindings lead into the runtime, and a printer would follow them.
  hide(prototype, Symbol.for('nodejs.util.inspect.custom'), () => `GenServerClient(${definition.label})`);
  markAsHandle(prototype);
  markAsPrinted(prototype);
  prototypes.set(definition, prototype);
  return prototype;
}

// There are two of each: a client with methods of its own knows its target, and reading it from the client would be one more step
// that the compiler cannot see through; a client with the methods of a prototype must read it.

/* eslint-disable prefer-rest-params -- zero and one argument travel without an array */

function callMethod({ none, one, many }: Handler, target: ClientTarget): ClientMethod {
  return function (first?: unknown): unknown {
    if (arguments.length === 0) return callTarget(target, none, undefined, undefined);
    if (arguments.length === 1) return callTarget(target, one, first, undefined);
    return callTarget(target, many, Array.from(arguments), undefined);
  };
}

function boundCallMethod({ none, one, many }: Handler): ClientMethod {
  return function (this: BoundClient, first?: unknown): unknown {
    const target = this[TARGET];
    const timeoutMs = this[TIMEOUT_MS];
    if (arguments.length === 0) return callTarget(target, none, undefined, timeoutMs);
    if (arguments.length === 1) return callTarget(target, one, first, timeoutMs);
    return callTarget(target, many, Array.from(arguments), timeoutMs);
  };
}

function castMethod({ none, one, many }: Handler, target: ClientTarget): ClientMethod {
  return function (first?: unknown): void {
    if (arguments.length === 0) castToTarget(target, none, undefined);
    else if (arguments.length === 1) castToTarget(target, one, first);
    else castToTarget(target, many, Array.from(arguments));
  };
}

function boundCastMethod({ none, one, many }: Handler): ClientMethod {
  return function (this: BoundClient, first?: unknown): void {
    const target = this[TARGET];
    if (arguments.length === 0) castToTarget(target, none, undefined);
    else if (arguments.length === 1) castToTarget(target, one, first);
    else castToTarget(target, many, Array.from(arguments));
  };
}

/* eslint-enable prefer-rest-params */

function callTarget(
  target: ClientTarget,
  invocation: Invocation,
  payload: unknown,
  givenMs: number | undefined,
): Promise<unknown> {
  let server: GenServerProcess | undefined;
  try {
    server = target.find();
  } catch (error) {
    // A user-supplied registry may throw. A call never throws: it rejects.
    return Promise.reject(error);
  }
  if (server === undefined) {
    if (target.whenAccepting === undefined) return refuseCall(target);
    return callWhenAccepting(target, invocation, payload, givenMs);
  }
  const { definition } = server;
  let found = invocation;
  if (definition !== target.definition) {
    const other = definition.calls.get(invocation.handler.name);
    if (other === undefined) return refuseUnknown(server, invocation.handler);
    found = other.inPlaceOf(invocation);
  }
  return callServer(server, found, payload, givenMs ?? timeoutOf(found.handler, definition));
}

function timeoutOf({ timeoutMs }: Handler, { callTimeoutMs }: ServerDefinition): number {
  return timeoutMs ?? callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
}

function castToTarget(target: ClientTarget, invocation: Invocation, payload: unknown): void {
  let server: GenServerProcess | undefined;
  try {
    server = target.find();
  } catch {
    // A user-supplied registry may throw; a cast never fails (C8).
  }
  if (server === undefined) {
    castToNobody(target, invocation, payload);
    return;
  }
  const { definition } = server;
  let found = invocation;
  if (definition !== target.definition) {
    const { name } = invocation.handler;
    const other = definition.casts.get(name);
    if (other === undefined) throw new UnknownHandlerError(server.label, 'cast', name, definition.casts.keys());
    found = other.inPlaceOf(invocation);
  }
  castToServer(server, found, payload);
}

/** A call to a server that has to start first. The timeout of the call includes the start (C2). */
function callWhenAccepting(
  target: ClientTarget,
  invocation: Invocation,
  payload: unknown,
  givenMs: number | undefined,
): Promise<unknown> {
  const { runtime, definition } = target;
  const timeoutMs = givenMs ?? timeoutOf(invocation.handler, definition);
  return new Promise((resolve, reject) => {
    const begin = runtime.clock.now();
    const waiting = new Settlement(resolve, reject, () => {
      const request = describeRequest(runtime, invocation, payload);
      return new CallTimeoutError(definition.label, request, timeoutMs, 'waiting', 0);
    });
    runtime.deadlines.add(waiting, timeoutMs);
    target.whenAccepting!((server) => {
      if (server instanceof Error) {
        waiting.refuse(server);
        return;
      }
      // From here on the call has a deadline of its own.
      waiting.cancel();
      // Whole milliseconds, since most starts take none and share the timer of all the other calls then.
      const leftMs = Math.max(0, Math.ceil(timeoutMs - (runtime.clock.now() - begin)));
      // Applies even when the call has timed out: a request that was made is handled (P6).
      callServer(server, invocation, payload, leftMs).then(resolve, reject);
    });
  });
}

/** A cast while there is no process: it is dropped and reported, or waits for a server that starts first. */
function castToNobody(target: ClientTarget, invocation: Invocation, payload: unknown): void {
  const { runtime, destination } = target;
  const { name } = invocation.handler;
  if (target.whenAccepting === undefined) {
    reportDroppedCast(runtime, formatDestination(destination), name, target.absenceHint());
    return;
  }
  target.whenAccepting((server) => {
    if (server instanceof Error) reportDroppedCast(runtime, formatDestination(destination), name, server.message);
    else castToServer(server, invocation, payload);
  });
}

/** Stands for a public method that is not a handler, so that calling it says what is missing instead of `not a function`. */
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

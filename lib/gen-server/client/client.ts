import { isDeepStrictEqual } from 'node:util';
import { Settlement } from '../../runtime/time/settlement.js';
import { SENT_ENVELOPE } from '../../runtime/mailbox/envelope.js';
import { assertDurationMs } from '../../runtime/errors.js';
import { type ExitReason, isError } from '../../runtime/exits/exit-reason.js';
import { LimitExceededError } from '../../runtime/limits.js';
import { isolatedCopy } from '../../runtime/isolation/isolated-copy.js';
import { watch } from '../../runtime/relations/monitors.js';
import { Pid } from '../../runtime/pid.js';
import { type Process, processOf } from '../../runtime/process.js';
import { describeError, describeKey, isInstanceOf } from '../../runtime/secrets/inspect-safely.js';
import { print } from '../../runtime/secrets/print.js';
import { isVia } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { pendingCallsOf, type RelatedProcess } from '../../runtime/relations/relations.js';
import { receiverOf, sendAfter as armTimer, type TimerRef } from '../../runtime/timers.js';
import { type Activation, circleFrom } from '../../runtime/tracking.js';
import { CallRequest, promiseOfAnswer, TrackedCallRequest } from '../process/call-request.js';
import {
  type Destination,
  DESTINATION,
  formatDestination,
  isAddressed,
  resolve,
  resolveProcess,
  whereis,
} from './destination.js';
import {
  CallingSelfError,
  CallTimeoutError,
  NoProcessError,
  ServerExitedError,
  UnknownHandlerError,
} from '../errors.js';
import type { CastDropped } from '../events.js';
import type { GenServerProcess } from '../process/gen-server-process.js';
import { type Invocation, payloadOf } from '../definition/server-definition.js';
import { suspectCycle } from '../process/suspected-cycle.js';
import { StopRequest } from '../process/system-request.js';

/** How long a call waits by default (C1). */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** How long to wait for the answer, in milliseconds; queueing and running both count. `Infinity` waits for ever. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Calls a live server: the fast path that injected clients use, with everything looked up. Nothing is allocated but the
 * promise and the request.
 */
export function callServer(
  server: GenServerProcess,
  invocation: Invocation,
  payload: unknown,
  timeoutMs: number,
): Promise<unknown> {
  const { runtime } = server;
  if (runtime.current === server) {
    return Promise.reject(callingSelf(server, invocation));
  }
  const { tracking } = runtime;
  const activation = tracking === null ? null : tracking.current;
  const sender = activation === null ? runtime.current : activation.process!;
  if (activation !== null && sender === server) return Promise.reject(callingSelf(server, invocation));
  if (sender !== null && pendingCallsOf(sender) >= runtime.limits.pendingCalls) {
    return Promise.reject(new LimitExceededError(sender.label, 'pendingCalls', runtime.limits.pendingCalls));
  }
  let sent = payload;
  if (server.clonesMessages) {
    try {
      sent = isolatedCopy(payload);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  const promise = promiseOfAnswer();
  const request =
    tracking === null
      ? new CallRequest(server, invocation, sent, timeoutMs, sender)
      : trackedRequest(activation, server, invocation, sent, timeoutMs, sender);
  if (timeoutMs !== Infinity) runtime.deadlines.add(request, timeoutMs);
  server.deliver(request, undefined);
  return promise;
}

/** The request of a call, with a watch over the circle of calls if it closes one. */
function trackedRequest(
  caller: Activation | null,
  server: GenServerProcess,
  invocation: Invocation,
  payload: unknown,
  timeoutMs: number,
  sender: RelatedProcess | null,
): TrackedCallRequest {
  const request = new TrackedCallRequest(caller, server, invocation, payload, timeoutMs, sender);
  const circle = caller === null ? null : circleFrom(caller, server);
  if (circle !== null) suspectCycle(request, caller!, server, circle);
  return request;
}

function callingSelf(server: GenServerProcess, { handler }: Invocation): CallingSelfError {
  return new CallingSelfError(server.label, `call ${describeKey(handler.name)} of`);
}

/** Casts to a live server. Never throws. */
export function castToServer(server: GenServerProcess, invocation: Invocation, payload: unknown): void {
  if (!server.clonesMessages) {
    server.deliver(invocation, payload);
    return;
  }
  let sent: unknown;
  try {
    sent = isolatedCopy(payload);
  } catch (error) {
    reportDroppedCast(
      server.runtime,
      server.label,
      invocation.handler.name,
      isError(error) ? describeError(error) : print(error),
    );
    return;
  }
  server.deliver(invocation, sent);
}

/**
 * Asks a server and waits for its answer. A plain behaviour gets `request` itself; a decorated server runs the call handler
 * of that name with `args`. Rejects with `NoProcessError` at once when there is no process (C4), `CallingSelfError`,
 * `UnknownHandlerError`, `CallTimeoutError`, `ServerExitedError`, or the error that the server answered with.
 */
export async function call(
  runtime: Runtime,
  destination: Destination,
  request: unknown,
  args: readonly unknown[] = [],
  { timeoutMs }: CallOptions = {},
): Promise<unknown> {
  if (timeoutMs !== undefined) assertDurationMs(timeoutMs, 'timeoutMs of a call', true);
  const server = getServer(runtime, destination);
  const { definition } = server;
  if (definition.anyCall !== undefined) {
    return callServer(server, definition.anyCall.one, request, timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS);
  }
  const name = request as string | symbol;
  const handler = definition.calls.get(name);
  if (handler === undefined) throw new UnknownHandlerError(server.label, 'call', name, definition.calls.keys());
  const limitMs = timeoutMs ?? handler.timeoutMs ?? definition.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
  return callServer(server, handler.invocationFor(args), payloadOf(args), limitMs);
}

/**
 * Sends a server a request without waiting. Never throws when there is no receiver (C8); a name that is not a cast handler of a
 * live, decorated server is a mistake in the program and throws {@link UnknownHandlerError}.
 */
export function cast(
  runtime: Runtime,
  destination: Destination,
  request: unknown,
  args: readonly unknown[] = [],
): void {
  const server = resolveForCast(runtime, destination);
  if (server === undefined) {
    const name = typeof request === 'symbol' || typeof request === 'string' ? request : print(request);
    reportDroppedCast(runtime, formatDestination(destination), name, 'no process');
    return;
  }
  const { definition } = server;
  if (definition.anyCast !== undefined) {
    castToServer(server, definition.anyCast.one, request);
    return;
  }
  const name = request as string | symbol;
  const handler = definition.casts.get(name);
  if (handler === undefined) throw new UnknownHandlerError(server.label, 'cast', name, definition.casts.keys());
  castToServer(server, handler.invocationFor(args), payloadOf(args));
}

/** Sends a plain message. Silent for a pid that has ended; throws for a name that no process holds (C8). */
export function send(runtime: Runtime, destination: Destination, message: unknown): void {
  if (isAddressed(destination)) {
    send(runtime, destination[DESTINATION], message);
    return;
  }
  if (isVia(destination)) {
    destination.via.send(destination.key, message);
    return;
  }
  const pid = whereis(runtime, destination);
  if (pid !== undefined) processOf(pid)?.deliver(SENT_ENVELOPE, message);
  else if (!isInstanceOf(destination, Pid)) throw new NoProcessError(formatDestination(destination));
}

/** Sends `message` in `delayMs` milliseconds. A name is looked up when the time has come; a pid is one incarnation (K2). */
export function sendAfter(
  runtime: Runtime,
  destination: Destination,
  message: unknown,
  delayMs: number,
  sender: Process | null = null,
): TimerRef {
  // Looked up now to refuse an invalid destination; the receiver is looked up when the time has come.
  const isOwnName = !isInstanceOf(destination, Pid) && !isVia(destination) && isHeldBy(runtime, destination, sender);
  const receiver = isInstanceOf(destination, Pid)
    ? receiverOf(destination)
    : (): GenServerProcess | undefined => resolve(runtime, destination);
  return armTimer(runtime, receiver, message, delayMs, isOwnName ? sender : null);
}

function isHeldBy(runtime: Runtime, destination: Destination, process: Process | null): boolean {
  const holder = whereis(runtime, destination);
  return holder !== undefined && holder === process?.pid;
}

/**
 * Ends a server with `reason`, after everything that is queued (E9), and resolves when it is gone and its name is free.
 * Rejects with `ServerExitedError` when it ended with another reason, and with `CallTimeoutError` when it took longer than
 * `timeoutMs` (the process goes on terminating, E11). Two stops with the same reason both succeed.
 */
export function stop(
  runtime: Runtime,
  destination: Destination,
  reason: ExitReason = 'normal',
  timeoutMs = Infinity,
): Promise<void> {
  return new Promise((resolvePromise, reject) => {
    assertDurationMs(timeoutMs, 'timeoutMs of stop', true);
    const server = getServer(runtime, destination);
    if (runtime.current === server || runtime.tracking?.current?.process === server) {
      throw new CallingSelfError(server.label, 'stop');
    }
    const { redaction } = runtime;
    const request = { handler: 'stop', args: [redaction.reason(reason)] };
    const settlement = new Settlement<void>(resolvePromise, reject, () => {
      monitor.stop();
      return new CallTimeoutError(server.label, request, timeoutMs, 'running', server.queueLength);
    });
    const monitor = watch(server, (actual) => {
      if (isSameReason(actual, reason)) settlement.settle();
      else {
        const told = redaction.reason(actual);
        settlement.refuseWith(() => new ServerExitedError(server.label, request, told, told));
      }
    });
    runtime.deadlines.add(settlement, timeoutMs);
    server.deliverStop(new StopRequest(reason), undefined);
  });
}

/** Sends an exit signal (section 6). `'kill'` cannot be trapped; the others may be, and `'normal'` is mostly ignored (E7). */
export function exit(
  runtime: Runtime,
  destination: Destination,
  reason: ExitReason,
  from: GenServerProcess | null,
): void {
  resolveProcess(runtime, destination)?.signal(reason, from, reason === 'kill');
}

export function getServer(runtime: Runtime, destination: Destination): GenServerProcess {
  const server = resolve(runtime, destination);
  if (server === undefined) throw new NoProcessError(formatDestination(destination));
  return server;
}

export function reportDroppedCast(runtime: Runtime, destination: string, handler: string | symbol, why: string): void {
  runtime.droppedCasts++;
  if (!runtime.events.wants('gen_server.cast_dropped')) return;
  const event: CastDropped = { type: 'gen_server.cast_dropped', destination, handler, why };
  runtime.events.emit(event);
}

/** Reasons are values: two that look the same are the same. A reason that cannot be inspected equals only itself. */
function isSameReason(a: ExitReason, b: ExitReason): boolean {
  try {
    return Object.is(a, b) || isDeepStrictEqual(a, b);
  } catch {
    return false;
  }
}

/** A user-supplied registry may throw; a cast never fails (C8). */
function resolveForCast(runtime: Runtime, destination: Destination): GenServerProcess | undefined {
  try {
    return resolve(runtime, destination);
  } catch (error) {
    if (isVia(destination)) return undefined;
    throw error;
  }
}

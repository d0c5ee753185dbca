import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Behaviour, blueprintOfBehaviour } from './behaviour.js';
import * as client from './client/client.js';
import type { Destination } from './client/destination.js';
import type { From } from './process/from.js';
import type { Self } from './self.js';
import { start } from './client/start.js';
import type { StartOptions } from './definition/start-options.js';

/** OTP's `GenServer` for plain behaviours. Unlike in OTP a process belongs to a runtime, so most functions take one. */
export const GenServer = {
  /** Starts a server, and resolves to its pid when `init` has finished (I1). */
  start: (runtime: Runtime, behaviour: Behaviour, options?: StartOptions): Promise<Pid> =>
    start(runtime, blueprintOfBehaviour(behaviour), options),
  /** Like `start`, linked to the process with the given `self`, which becomes the parent. */
  startLink: (parent: Self, behaviour: Behaviour, options?: StartOptions): Promise<Pid> =>
    parent.startLink(behaviour, options),
  /** Sends a request and waits for the answer, for `timeoutMs` milliseconds, 5 000 by default (C1). */
  call: (
    runtime: Runtime,
    destination: Destination,
    request: unknown,
    options?: client.CallOptions,
  ): Promise<unknown> => client.call(runtime, destination, request, [], options),
  /** Sends a request without waiting for an answer (C8). */
  cast: (runtime: Runtime, destination: Destination, request: unknown): void =>
    client.cast(runtime, destination, request),
  /** Answers a caller, from any code (C9). */
  reply: <R>(from: From<R>, value: R): void => from.reply(value),
  /** Stops a server after it has handled the messages that are already queued (E9). */
  stop: (runtime: Runtime, destination: Destination, reason?: ExitReason, timeoutMs?: number): Promise<void> =>
    client.stop(runtime, destination, reason, timeoutMs),
} as const;

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

/** OTP's `GenServer`, for plain behaviours. Worlds are objects here, so each function takes one. */
export const GenServer = {
  /** Starts a server and gives its pid when `init` is done (I1). */
  start: (runtime: Runtime, behaviour: Behaviour, options?: StartOptions): Promise<Pid> =>
    start(runtime, blueprintOfBehaviour(behaviour), options),
  /** The same, linked to the process whose `self` is given: it becomes the parent. */
  startLink: (parent: Self, behaviour: Behaviour, options?: StartOptions): Promise<Pid> =>
    parent.startLink(behaviour, options),
  /** Asks and waits for the answer, for 5 000 ms unless `timeoutMs` says otherwise (C1). */
  call: (
    runtime: Runtime,
    destination: Destination,
    request: unknown,
    options?: client.CallOptions,
  ): Promise<unknown> => client.call(runtime, destination, request, [], options),
  /** Tells and does not wait (C8). */
  cast: (runtime: Runtime, destination: Destination, request: unknown): void =>
    client.cast(runtime, destination, request),
  /** Answers a caller, from wherever (C9). */
  reply: <R>(from: From<R>, value: R): void => from.reply(value),
  /** Ends a server after everything that is queued (E9). */
  stop: (runtime: Runtime, destination: Destination, reason?: ExitReason, timeoutMs?: number): Promise<void> =>
    client.stop(runtime, destination, reason, timeoutMs),
} as const;

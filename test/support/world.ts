import { createWorld, type RuntimeOptions } from '../../lib/create-runtime.js';
import { type Behaviour, sourceOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { call, cast, exit, send, stop } from '../../lib/gen-server/client.js';
import type { ServerSource } from '../../lib/gen-server/server-definition.js';
import { start, type StartOptions } from '../../lib/gen-server/start.js';
import type { Destination } from '../../lib/gen-server/destination.js';
import type { GenServerEvent } from '../../lib/observability/events.js';
import type { ExitReason } from '../../lib/runtime/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { ManualClock } from './manual-clock.js';

/**
 * A world of its own for one test, with a clock that is turned by hand and every event it emitted. Without tracking unless asked
 * for: whether it is on by default depends on the version of Node.
 */
export function testWorld(options: RuntimeOptions = {}) {
  const clock = new ManualClock();
  const { runtime, events, localNames, registries, groups, pubsub } = createWorld({
    clock,
    tracking: false,
    ...options,
  });
  const seen: GenServerEvent[] = [];
  events.onAny((event) => seen.push(event));
  return {
    clock,
    runtime,
    events,
    localNames,
    registries,
    groups,
    pubsub,
    seen,
    start: (behaviour: Behaviour, startOptions?: StartOptions): Promise<Pid> =>
      start(runtime, sourceOfBehaviour(behaviour), startOptions),
    startSource: (source: ServerSource, startOptions?: StartOptions): Promise<Pid> =>
      start(runtime, source, startOptions),
    call: (destination: Destination, request: unknown, timeoutMs?: number): Promise<unknown> =>
      call(runtime, destination, request, [], { timeoutMs }),
    cast: (destination: Destination, request: unknown): void => cast(runtime, destination, request),
    send: (destination: Destination, message: unknown): void => send(runtime, destination, message),
    stop: (destination: Destination, reason?: ExitReason, timeoutMs?: number): Promise<void> =>
      stop(runtime, destination, reason, timeoutMs),
    exit: (destination: Destination, reason: ExitReason): void => exit(runtime, destination, reason, null),
  };
}

export type TestWorld = ReturnType<typeof testWorld>;

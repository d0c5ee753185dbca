import type { RuntimeOptions } from '../../lib/create-runtime.js';
import { type Behaviour, blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { call, stop } from '../../lib/gen-server/client/client.js';
import type { Destination } from '../../lib/gen-server/client/destination.js';
import type { ServerBlueprint } from '../../lib/gen-server/definition/server-definition.js';
import { start } from '../../lib/gen-server/client/start.js';
import type { StartOptions } from '../../lib/gen-server/definition/start-options.js';
import type { ExitReason } from '../../lib/runtime/exits/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { TestWorld as PublishedWorld, type TestWorldOptions } from '../../lib/testing/test-world.js';
import type { ManualClock } from './manual-clock.js';

/**
 * The published world of one test, with what tests of the core need beside it: servers that nobody supervises, started from
 * behaviours and from what a class is compiled to.
 */
export function testWorld(options: RuntimeOptions = {}) {
  const world = new PublishedWorld(options as TestWorldOptions<ManualClock>);
  const { clock, runtime, events, localNames, registries, groups, pubsub, seen } = world;
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
      start(runtime, blueprintOfBehaviour(behaviour), startOptions),
    startSource: (source: ServerBlueprint, startOptions?: StartOptions): Promise<Pid> =>
      start(runtime, source, startOptions),
    call: (destination: Destination, request: unknown, timeoutMs?: number): Promise<unknown> =>
      call(runtime, destination, request, [], { timeoutMs }),
    cast: (destination: Destination, request: unknown): void => world.cast(destination, request),
    send: (destination: Destination, message: unknown): void => world.send(destination, message),
    stop: (destination: Destination, reason?: ExitReason, timeoutMs?: number): Promise<void> =>
      stop(runtime, destination, reason, timeoutMs),
    exit: (destination: Destination, reason: ExitReason): void => world.exit(destination, reason),
  };
}

export type TestWorld = ReturnType<typeof testWorld>;

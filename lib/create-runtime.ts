import { type Behaviour, sourceOfBehaviour } from './gen-server/behaviour.js';
import type { ServerSource } from './gen-server/server-definition.js';
import { EventBus } from './observability/event-bus.js';
import { NameTable } from './registry/name-table.js';
import { InvalidArgumentError } from './runtime/errors.js';
import type { Clock, NameService, Randomness } from './runtime/ports.js';
import { Runtime } from './runtime/runtime.js';
import { systemClock, systemRandomness } from './runtime/system-ports.js';

/** What a world of processes may be given instead of the usual. */
export interface RuntimeOptions {
  /** Default: the clock of the Node process. */
  readonly clock?: Clock;
  /** Default: `Math.random`. */
  readonly randomness?: Randomness;
  /** Where `{ global }` names are kept. Default: a table of this Node process. */
  readonly globalNames?: NameService;
  /** Whether to report live state that is handed out. Default: unless `NODE_ENV` is `production`. */
  readonly warnsOfSharedState?: boolean;
  /** What stands behind classes that are started as servers. Default: only plain behaviours are known. */
  readonly findServer?: (server: unknown) => ServerSource | undefined;
}

/** A runtime together with the parts that a composition root goes on to use. */
export interface World {
  readonly runtime: Runtime;
  readonly events: EventBus;
  readonly localNames: NameTable;
}

/** Puts a world of processes together. One of the few places that know every room. */
export function createWorld(options: RuntimeOptions = {}): World {
  const events = new EventBus();
  const localNames = new NameTable();
  const runtime = new Runtime({
    clock: options.clock ?? systemClock,
    randomness: options.randomness ?? systemRandomness,
    events,
    localNames,
    globalNames: options.globalNames ?? new NameTable(),
    servers: { find: (server) => options.findServer?.(server) ?? sourceOf(server) },
    warnsOfSharedState: options.warnsOfSharedState ?? process.env['NODE_ENV'] !== 'production',
  });
  return { runtime, events, localNames };
}

function sourceOf(server: unknown): ServerSource {
  if (typeof server === 'object' && server !== null) return sourceOfBehaviour(server as Behaviour);
  throw new InvalidArgumentError(
    `Cannot start ${String(server)}: it is neither a @GenServer() class that this runtime knows nor a behaviour object.`,
  );
}

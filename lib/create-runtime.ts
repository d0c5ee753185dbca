import { blueprintOfBehaviour } from './gen-server/behaviour.js';
import type { ServerBlueprint } from './gen-server/definition/server-definition.js';
import { EventBus } from './observability/event-bus.js';
import { NameTable } from './registry/name-table.js';
import { ProcessGroups } from './registry/process-groups.js';
import { PubSub } from './registry/pub-sub.js';
import { Registries } from './registry/registries.js';
import { InvalidArgumentError } from './runtime/errors.js';
import { completeLimits, type ProcessLimits } from './runtime/limits.js';
import type { Clock, NameService, Randomness, ViaRegistry } from './runtime/ports.js';
import { formatName } from './runtime/server-name.js';
import { Redaction } from './runtime/secrets/redaction.js';
import { Runtime } from './runtime/runtime.js';
import { systemClock, systemRandomness } from './runtime/system-ports.js';
import { isTrackingCheap } from './runtime/tracking.js';

/** What a world of processes may be given instead of the usual. */
export interface RuntimeOptions<P extends PubSub = PubSub> {
  /** Default: the clock of the Node process. */
  readonly clock?: Clock | undefined;
  /** What `scheduling: 'random'` draws from. Default: `Math.random`. */
  readonly randomness?: Randomness;
  /**
   * Which of the processes that have something to do has the next turn: `'fair'`, the one that has waited longest; `'random'`, any
   * that `randomness` draws, for tests that are to find who relies on an order that nobody promised. What waits for one process
   * keeps its order. Default: `'fair'`.
   */
  readonly scheduling?: 'fair' | 'random';
  /** Where `{ global }` names are kept. Default: a table of this Node process. */
  readonly globalNames?: NameService | undefined;
  /** Whether to report live state that is handed out. Default: unless `NODE_ENV` is `production`. */
  readonly warnsOfSharedState?: boolean;
  /** How much one process may use. Default: see {@link ProcessLimits}. */
  readonly limits?: Partial<ProcessLimits> | undefined;
  /** Names of fields and keys that are secret besides the usual ones. Default: none. */
  readonly redact?: readonly (string | RegExp)[] | undefined;
  /** Whether logs, events, traces, status and errors show values, or only their shape. Default: unless `NODE_ENV` is `production`. */
  readonly showValues?: boolean | undefined;
  /**
   * Whether calls to oneself and circles of calls are noticed after an `await` as well. Default: from Node 24 on; before, it
   * slows down every promise of the application.
   */
  readonly tracking?: boolean | undefined;
  /** What stands behind classes that are started as servers. Default: only plain behaviours are known. */
  readonly findServer?: (server: unknown) => ServerBlueprint | undefined;
  /** Where the keys of servers that are started on demand are found. Default: there are none. */
  readonly findKeys?: (server: unknown) => ViaRegistry | undefined;
  /** Makes the PubSub behind `self.subscribe` and `self.broadcast`. Default: a plain one, for one node until it is connected. */
  readonly makePubSub?: (runtime: Runtime) => P;
}

/** A runtime together with the parts that a composition root goes on to use. */
export interface World<P extends PubSub = PubSub> {
  readonly runtime: Runtime;
  readonly events: EventBus;
  readonly localNames: NameTable;
  readonly registries: Registries;
  /** The scope that everybody shares. More can be made: `new ProcessGroups(runtime)`. */
  readonly groups: ProcessGroups;
  readonly pubsub: P;
}

/** Puts a world of processes together. One of the few places that know every room. */
export function createWorld<P extends PubSub = PubSub>(options: RuntimeOptions<P> = {}): World<P> {
  const isProduction = process.env['NODE_ENV'] === 'production';
  const redaction = new Redaction(options.redact, options.showValues ?? !isProduction);
  const events = new EventBus(redaction);
  const localNames = new NameTable();
  const runtime = new Runtime(
    {
      clock: options.clock ?? systemClock,
      randomness: options.randomness ?? systemRandomness,
      scheduling: options.scheduling ?? 'fair',
      events,
      localNames,
      globalNames: options.globalNames ?? new NameTable(),
      servers: {
        find: (server) => options.findServer?.(server) ?? blueprintOf(server),
        keysOf: (server) => options.findKeys?.(server),
      },
      warnsOfSharedState: options.warnsOfSharedState ?? !isProduction,
      limits: completeLimits(options.limits),
      redaction,
      tracks: options.tracking ?? isTrackingCheap(process.versions.node),
    },
    options.makePubSub ?? ((owner) => new PubSub(owner)),
  );
  return {
    runtime,
    events,
    localNames,
    registries: new Registries(runtime),
    groups: new ProcessGroups(runtime),
    // The PubSub that was made just now: the runtime knows no more of it than it needs.
    pubsub: runtime.topics as P,
  };
}

function blueprintOf(server: unknown): ServerBlueprint {
  if (typeof server === 'object' && server !== null) return blueprintOfBehaviour(server);
  throw new InvalidArgumentError(
    `Cannot start ${formatName(server)}: it is neither a @GenServer() class that this runtime knows nor a behaviour object.`,
  );
}

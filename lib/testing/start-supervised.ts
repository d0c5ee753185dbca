import type { Behaviour } from '../gen-server/behaviour.js';
import { blueprintOfBehaviour } from '../gen-server/behaviour.js';
import { type Destination, formatDestination, resolve, whereis } from '../gen-server/client/destination.js';
import { NoProcessError } from '../gen-server/errors.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { makeClient } from '../nest/clients/client-target.js';
import type { InitParameters } from '../nest/clients/dynamic-supervisor-client.js';
import type { GenServerClient } from '../nest/clients/gen-server-client.js';
import type { GenServerOptions } from '../nest/gen-server.options.js';
import { findServerOptions } from '../nest/discovery/gen-server-metadata.accessor.js';
import { stubsOf } from '../nest/discovery/compiled-servers.js';
import type { Pid } from '../runtime/pid.js';
import type { Clock } from '../runtime/ports.js';
import { formatName, type ServerName } from '../runtime/server-name.js';
import { type ChildId, type ChildSpec, childSpec } from '../supervision/child-spec.js';
import type { AnyServerClass } from './server-sources.js';
import type { TestWorld } from './test-world.js';

type OrMade<T> = T | (() => T);

/** What a server's constructor takes. Optional where it takes nothing. */
type DependenciesOf<C extends AnyServerClass> =
  [] extends ConstructorParameters<C>
    ? { readonly dependencies?: OrMade<Readonly<ConstructorParameters<C>>> }
    : { readonly dependencies: OrMade<Readonly<ConstructorParameters<C>>> };

/**
 * How `startSupervised` starts a server: the options of `@GenServer()`, which they add to and overrule, and
 *
 * - `args`: the arguments of `init`, evaluated once, or a function that makes them anew for each incarnation;
 * - `dependencies`: the arguments of the constructor, likewise. Required when it takes any.
 *
 * @publicApi
 */
export type SupervisedOptions<C extends AnyServerClass> = Omit<GenServerOptions, 'args' | 'start' | 'supervisor'> & {
  readonly args?: OrMade<Readonly<InitParameters<InstanceType<C>>>>;
} & DependenciesOf<C>;

/** How `startSupervised` starts a behaviour. @publicApi */
export type SupervisedBehaviourOptions = StartOptions & Pick<ChildSpec, 'restart' | 'shutdownMs'>;

type OptionsArgument<C extends AnyServerClass> =
  [] extends ConstructorParameters<C> ? [options?: SupervisedOptions<C>] : [options: SupervisedOptions<C>];

/**
 * Starts a server under the supervisor of a test world, and gives a client that is typed from the class, as an injected one is. The
 * server is restarted when it crashes, as its options say, and the client leads to the new incarnation. It is stopped by
 * `world.stop()`, the last one started first, or by {@link stopSupervised}.
 *
 * There is no container: what the constructor takes is given as `dependencies`. Clients of other servers may be among them.
 *
 * Resolves when `init` is done. Rejects with `StartError`, or with `AlreadyStartedError` when the name is taken: the second one of
 * a class needs a `name`.
 *
 * @example
 * ```ts no-run: an excerpt of a test
 * const cart = await startSupervised(world, Cart, { dependencies: [fakePrices], args: ['user:42'] });
 * expect(await cart.addItem('tea')).toBe('ok');
 * ```
 *
 * @publicApi
 */
export function startSupervised<C extends AnyServerClass>(
  world: TestWorld<Clock>,
  server: C,
  ...[options]: OptionsArgument<C>
): Promise<GenServerClient<InstanceType<C>>>;
/** Starts a behaviour of the core, and gives its pid. */
export function startSupervised(
  world: TestWorld<Clock>,
  behaviour: Behaviour,
  options?: SupervisedBehaviourOptions,
): Promise<Pid>;
/** Starts what a child spec starts: a supervisor with its children, say. Gives its pid. */
export function startSupervised(world: TestWorld<Clock>, spec: ChildSpec): Promise<Pid>;
export async function startSupervised(
  world: TestWorld<Clock>,
  what: AnyServerClass | Behaviour | ChildSpec,
  options: object = {},
): Promise<unknown> {
  if (typeof what === 'function') return startServer(world, what, options);
  if (isChildSpec(what)) return world.startChild(what, formatName(what.id));
  const { restart, shutdownMs, ...startOptions } = options as SupervisedBehaviourOptions;
  const source = blueprintOfBehaviour(what);
  const { label } = source.definition;
  return world.startChild(childSpec(source, startOptions, { id: Symbol(label), restart, shutdownMs }), label);
}

/**
 * Stops a server that `startSupervised` has started, as its supervisor would: it drains, it terminates, within its `shutdownMs`,
 * and it is not started again. Rejects with `NoProcessError` when there is none.
 *
 * @publicApi
 */
export async function stopSupervised(world: TestWorld<Clock>, destination: Destination): Promise<void> {
  const pid = whereis(world.runtime, destination);
  if (pid !== undefined && (await world.stopChild(pid))) return;
  throw new NoProcessError(formatDestination(destination), 'Nothing that startSupervised has started runs there.');
}

async function startServer(
  world: TestWorld<Clock>,
  server: AnyServerClass,
  { dependencies, ...given }: Partial<SupervisedOptions<AnyServerClass>>,
): Promise<object> {
  const { runtime } = world;
  const own = findServerOptions(server) ?? {};
  const name: ServerName = given.name ?? own.name ?? server;
  const restart = given.restart ?? own.restart ?? (own.start === 'on_demand' ? 'transient' : 'permanent');
  const source = world.sources.make(server, { ...given, restart }, dependencies);
  const id: ChildId = Symbol(formatName(name));
  const spec = childSpec(
    source,
    { ...(given as StartOptions), name },
    { id, restart, shutdownMs: given.shutdownMs ?? own.shutdownMs },
  );
  await world.startChild(spec, server.name);
  const target = {
    runtime,
    destination: name,
    definition: source.definition,
    find: () => resolve(runtime, name),
    absenceHint: () => 'It has ended, or is being restarted: nothing waits for it to come back.',
  };
  return makeClient(target, stubsOf(server));
}

function isChildSpec(value: Behaviour | ChildSpec): value is ChildSpec {
  return typeof (value as Partial<ChildSpec>).start === 'function';
}

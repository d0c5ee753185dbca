import type { GenServerBase } from '../gen-server/gen-server-base.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import { compileServer } from '../nest/discovery/gen-server.compiler.js';
import type { GenServerOptions } from '../nest/gen-server.options.js';
import { findServerOptions } from '../nest/discovery/gen-server-metadata.accessor.js';
import { replyErrorTest } from '../nest/discovery/reply-errors.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { print } from '../runtime/secrets/print.js';

/** A server class, whatever it is made from. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever its constructor takes and its state is
export type AnyServerClass = new (...args: any[]) => GenServerBase<any>;

/** The arguments of a constructor: those of every incarnation, or made anew for each. */
export type GivenDependencies = readonly unknown[] | (() => readonly unknown[]);

type ErrorClasses = Parameters<typeof replyErrorTest>[0];

/** What stands behind the server classes of one test world: compiled as an application does it, made without a container. */
export class ServerSources {
  private readonly isReplyError: (error: unknown) => boolean;
  private readonly dependenciesOf = new Map<AnyServerClass, GivenDependencies>();

  constructor(replyErrors: ErrorClasses) {
    this.isReplyError = replyErrorTest(replyErrors);
  }

  /** The source of a class, made from these dependencies or, when none are given, from those that it was given before. */
  make(
    server: AnyServerClass,
    options: GenServerOptions = {},
    given: GivenDependencies | undefined = undefined,
  ): ServerBlueprint {
    if (given !== undefined) this.dependenciesOf.set(server, given);
    const dependencies = given ?? this.dependenciesOf.get(server);
    const { start: _, supervisor: __, name: ___, ...ownOptions } = findServerOptions(server) ?? {};
    const definition = compileServer(server, { ...ownOptions, ...options }, this.isReplyError);
    assertDependencies(server, dependencies);
    return {
      definition,
      defaults: ownOptions,
      create: () => new server(...(typeof dependencies === 'function' ? dependencies() : (dependencies ?? []))),
    };
  }

  /** For starting a class by itself, as `self.startLink` does. */
  find(server: unknown): ServerBlueprint | undefined {
    return typeof server === 'function' && findServerOptions(server) !== undefined
      ? this.make(server as AnyServerClass)
      : undefined;
  }
}

function assertDependencies(server: AnyServerClass, dependencies: GivenDependencies | undefined): void {
  if (dependencies !== undefined && !Array.isArray(dependencies) && typeof dependencies !== 'function') {
    throw new InvalidArgumentError(
      `dependencies of ${server.name} must be an array of the arguments of its constructor, or a function that returns one, ` +
        `got: ${print(dependencies)}`,
    );
  }
  if (dependencies === undefined && server.length > 0) {
    throw new InvalidArgumentError(
      `The constructor of ${server.name} takes ${server.length} argument(s), and a test world has no container to find them in. ` +
        `Give them: startSupervised(world, ${server.name}, { dependencies: [...] }). To have Nest inject them, start an application.`,
    );
  }
}

import type { Type } from '@nestjs/common';
import type { ServerBlueprint } from '../../gen-server/definition/server-definition.js';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { walkPrototypes } from '../../runtime/prototype-chain.js';
import { decoratedMethods, findServerOptions } from './gen-server-metadata.accessor.js';
import { compileServer } from './gen-server.compiler.js';
import { InstanceFactory } from './instance-factory.js';
import type { ListedServer } from './listed-servers.js';

/** A server class, compiled for one place where it is listed. */
export interface CompiledServer {
  readonly blueprint: ServerBlueprint;
  /** Public methods that are not handlers: a client has them only to report that. */
  readonly stubs: readonly (string | symbol)[];
}

/** The servers of one application, each compiled once. */
export class CompiledServers {
  private readonly compiled = new Map<ListedServer, CompiledServer>();

  constructor(private readonly isReplyError: (error: unknown) => boolean) {}

  /** Throws `GenServerConfigError` when the class cannot be run as a server. */
  of(server: ListedServer): CompiledServer {
    let compiled = this.compiled.get(server);
    if (compiled === undefined) this.compiled.set(server, (compiled = this.compile(server)));
    return compiled;
  }

  private compile({ type, options, module }: ListedServer): CompiledServer {
    const definition = compileServer(type, options, this.isReplyError);
    const instances = new InstanceFactory(type as Type<GenServerBase<unknown>>, module);
    // The name belongs to the listed server: another process of the class is started under its own name.
    const { name: _, ...defaults } = findServerOptions(type) ?? {};
    return { blueprint: { definition, defaults, create: () => instances.create() }, stubs: stubsOf(type) };
  }
}

/** Public methods that are not handlers. Methods that every object has, and those that Nest looks for, are left out. */
export function stubsOf(type: Type): readonly string[] {
  const handlers = new Set(decoratedMethods(type).map(({ name }) => name));
  const names = new Set<string>();
  walkPrototypes(type.prototype as object, (prototype) => {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const isMethod = typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function';
      if (isMethod && !handlers.has(name) && !NEVER_ON_A_CLIENT.has(name)) names.add(name);
    }
  });
  return [...names];
}

const NEVER_ON_A_CLIENT: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'constructor',
  'from',
  'init',
  'terminate',
  'codeChange',
  'formatStatus',
  'onConfigChange',
  'with',
  'then',
  'catch',
  'finally',
  'toJSON',
]);

import { Inject, Injectable, Logger, Optional, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { createWorld, type World } from '../../create-runtime.js';
import {
  type Addressed,
  DESTINATION,
  type Destination,
  isOfKey,
  resolve,
} from '../../gen-server/client/destination.js';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import type { ServerBlueprint } from '../../gen-server/definition/server-definition.js';
import { StrayErrors } from '../../gen-server/stray-errors.js';
import { LogReporter } from '../../observability/log-reporter.js';
import { type ExitReason, formatReason } from '../../runtime/exits/exit-reason.js';
import { formatName, isSameName, type ServerName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { ApplicationSupervisor } from './application-supervisor.js';
import { type ClientRequest, clientRequests } from '../injection/inject-gen-server.js';
import { type ClientTarget, makeClient } from '../clients/client-target.js';
import { NamedTarget } from '../clients/named-target.js';
import { findConsumer } from '../injection/consumer.finder.js';
import { makeDynamicSupervisorClient } from '../clients/dynamic-supervisor.factory.js';
import type { DynamicSupervisorRequest } from '../injection/inject-dynamic-supervisor.js';
import { compileServer } from '../discovery/gen-server.compiler.js';
import { type Catalog, exploreServers, type ListedServer } from '../discovery/gen-server.explorer.js';
import { GENSERVER_MODULE_OPTIONS, GENSERVER_OPTION_OVERRIDES } from '../gen-server.constants.js';
import * as messages from '../gen-server.messages.js';
import { attributedOrigins, type GenServerModuleOptions, type OnTreeExit } from '../gen-server.options.js';
import { InstanceFactory } from '../discovery/instance-factory.js';
import { isLogging } from './is-logging.js';
import { KeyedServers } from '../clients/keyed-servers.js';
import { checkModuleOptions } from '../discovery/options.validator.js';
import { decoratedMethods, findServerOptions } from '../discovery/gen-server-metadata.accessor.js';
import type { ProvidedServer } from '../discovery/provided-servers.js';
import { PubSub } from '../clients/pub-sub.js';
import { replyErrorTest } from '../discovery/reply-errors.js';
import { TaskHost } from './task-host.js';
import { shutDownApplication } from './tree-exit.js';

/** A server class, compiled once per place where it is listed. */
interface CompiledServer {
  readonly source: ServerBlueprint;
  /** Public methods that are no handlers, for stubs on the client. */
  readonly stubs: readonly (string | symbol)[];
}

/**
 * Where an application's servers live: what the modules list, the tree they run in, and the clients that talk to them. One per
 * application.
 */
@Injectable()
export class GenServerOrchestrator {
  readonly world: World;
  /** The one of the world, in the form in which it is injected. */
  readonly pubsub: PubSub;
  readonly tree: ApplicationSupervisor;
  readonly tasks: TaskHost;
  private readonly options: GenServerModuleOptions;
  private readonly isReplyError: (error: unknown) => boolean;
  private readonly compiled = new Map<ListedServer, CompiledServer>();
  private readonly keyed = new Map<ListedServer, KeyedServers>();
  private readonly logger = new Logger('GenServer');
  private readonly strayErrors: StrayErrors;
  private explored: Catalog | undefined;

  constructor(
    @Optional() @Inject(GENSERVER_MODULE_OPTIONS) given: GenServerModuleOptions = {},
    private readonly modules: ModulesContainer,
    @Inject(GENSERVER_OPTION_OVERRIDES) overrides: GenServerModuleOptions,
  ) {
    const options = { ...given, ...overrides };
    this.options = options;
    checkModuleOptions(options);
    this.isReplyError = replyErrorTest(options.replyErrors);
    let pubsub!: PubSub;
    this.world = createWorld({
      clock: options.clock,
      globalNames: options.globalNames,
      tracking: attributedOrigins(options).length > 0 ? true : options.tracking,
      limits: options.limits,
      redact: options.redact,
      showValues: options.showValues,
      findServer: (server) => this.findSource(server),
      findKeys: (server) => this.findKeyed(server)?.keys,
      makePubSub: (runtime) => (pubsub = new PubSub(runtime)),
    });
    this.pubsub = pubsub;
    this.strayErrors = new StrayErrors(this.runtime, attributedOrigins(options));
    new LogReporter(this.logger, () => isLogging(this.logger)).subscribe(this.world.events);
    this.tree = new ApplicationSupervisor({
      runtime: this.runtime,
      events: this.world.events,
      options: options.supervisor ?? {},
      sourceOf: (server) => this.compile(server).source,
      keyedOf: (server) => this.keyedOf(server),
      onGaveUp: (reason) => this.gaveUp(reason),
    });
    this.tasks = new TaskHost(this.runtime, () => this.tree.status);
    // Mistakes are told while Nest makes the providers. Later would be too late for some: Nest waits for ever for the
    // template of a class with a method `then`.
    for (const server of this.catalog.servers) this.compile(server);
  }

  get runtime(): Runtime {
    return this.world.runtime;
  }

  /** What the modules list. Read when it is first asked for: by then Nest knows all modules. */
  get catalog(): Catalog {
    return (this.explored ??= exploreServers(this.modules));
  }

  /** Starts the tree: after the last `onModuleInit`, before the first `onApplicationBootstrap`. */
  async start(): Promise<void> {
    this.refuseMissingClients();
    this.strayErrors.start();
    try {
      await this.tree.start(this.catalog);
    } catch (error) {
      this.strayErrors.stop();
      throw error;
    }
    const { servers, modules } = this.catalog;
    if (servers.length > 0) this.logger.log(`${servers.length} server(s) of ${modules.size} module(s) started`);
  }

  /** Stops the tree: before the first `onModuleDestroy`. */
  async stop(): Promise<void> {
    await this.tasks.stop();
    const { count, stopped, tookMs } = await this.tree.stop().finally(() => this.strayErrors.stop());
    await this.lastWords();
    if (count === 0) return;
    this.logger.log(`${count} server(s) stopped in ${Math.round(tookMs)} ms`);
    for (const { server, reason, undrained } of stopped.filter((entry) => entry.undrained > 0)) {
      this.logger.warn(`${server} was stopped (${this.printed(reason)}) with ${undrained} message(s) not handled`);
    }
  }

  /**
   * Whoever was told of the end answers its own client now. Nest closes idle connections next, and a stream of events that ended just
   * after that would keep its connection, and the close, for as long as an idle one may last.
   */
  private lastWords(): Promise<void> {
    return new Promise((resolve) => this.runtime.clock.nextTurn(resolve));
  }

  // --- clients ------------------------------------------------------------------------------------------------------------

  /** The client for somebody's `@InjectGenServer`. Undefined when it was asked for by another application only. */
  clientFor(request: ClientRequest): unknown {
    const { server, name } = request;
    const double = this.catalog.doubles.find(({ declared }) => declared === server);
    if (double !== undefined && name === undefined) return double.value;
    const listed = this.findListed(server, name);
    const isKeyed = listed !== undefined && this.keyedOf(listed) !== undefined;
    if (listed !== undefined && !isKeyed) return this.clientOf(listed);
    const consumer = findConsumer(this.modules, request);
    if (consumer === undefined) return undefined;
    if (isKeyed) throw messages.startedOnDemand(server.name, consumer);
    throw messages.notProvided(`${server.name}${name === undefined ? '' : ` named ${formatName(name)}`}`, consumer);
  }

  /** The dynamic supervisor for somebody's `@InjectDynamicSupervisor`, as {@link clientFor}. */
  dynamicSupervisorFor(request: DynamicSupervisorRequest): object | undefined {
    const { server, name } = request;
    const listed = this.findListed(server, name);
    const keyed = listed === undefined ? undefined : this.keyedOf(listed);
    if (keyed !== undefined) return makeDynamicSupervisorClient(this.runtime, keyed, this.compile(listed!));
    const consumer = findConsumer(this.modules, request);
    if (consumer === undefined) return undefined;
    throw listed === undefined
      ? messages.notProvided(server.name, consumer)
      : messages.notStartedOnDemand(server.name, consumer);
  }

  /** Middleware comes last: Nest makes it when every provider has been given what it asked for. */
  private refuseMissingClients(): void {
    const modules = [...this.modules.values()];
    for (const request of clientRequests()) {
      const isGiven = modules.some(({ providers }) => providers.get(request.token)?.instance !== undefined);
      if (!isGiven) this.clientFor(request);
    }
  }

  /** The client that stands where `provideGenServer` does. In a module that was loaded late, its server starts now. */
  async provide(provided: ProvidedServer): Promise<object> {
    const isProvided = (server: ListedServer): boolean => server.provided === provided;
    const listed = this.catalog.servers.find(isProvided);
    if (listed !== undefined) return this.clientOf(listed);
    const late = exploreServers(this.modules).servers.find(isProvided)!;
    const client = this.clientOf(late);
    await this.tree.startLate(late);
    this.addLate(late);
    return client;
  }

  clientOf(listed: ListedServer): object {
    const { stubs } = this.compile(listed);
    return makeClient(this.targetOf(listed), stubs);
  }

  /** Whom a client of a listed server talks to. */
  targetOf(listed: ListedServer): ClientTarget {
    const { name } = listed;
    const { runtime, localNames } = this.world;
    const { definition } = this.compile(listed).source;
    const absenceHint = (): string => this.absenceHint(listed);
    if (typeof name === 'object') {
      return { runtime, destination: name, definition, absenceHint, find: () => resolve(runtime, name) };
    }
    return new NamedTarget(runtime, name, definition, localNames.pin(name), absenceHint);
  }

  /** A client's target for any destination, typed by the class that is given or by what runs there now. */
  targetFor(
    destination: Destination,
    server?: Type,
  ): { target: ClientTarget; stubs: readonly (string | symbol)[] } | undefined {
    const { runtime } = this;
    const listed = this.findByDestination(destination, server);
    const definition =
      listed === undefined ? resolve(runtime, destination)?.definition : this.compile(listed).source.definition;
    if (definition === undefined) return undefined;
    const target: ClientTarget = {
      runtime,
      destination,
      definition,
      find: () => resolve(runtime, destination),
      absenceHint: () => this.absenceHintFor(destination, server),
    };
    return { target, stubs: listed === undefined ? [] : this.compile(listed).stubs };
  }

  /** Why nobody answers behind a destination. */
  absenceHintFor(destination: Destination, server?: Type): string {
    const listed = this.findByDestination(destination, server);
    return listed === undefined ? 'It was never started, or has ended.' : this.absenceHint(listed);
  }

  /** The processes by key of a server that is started on demand. */
  private keyedOf(listed: ListedServer): KeyedServers | undefined {
    if (listed.options.start !== 'on_demand') return undefined;
    let keyed = this.keyed.get(listed);
    if (keyed === undefined) {
      const { type, options } = listed;
      const { restart = 'transient', shutdownMs, name: _, args: __, ...common } = options;
      const supervisorName = Symbol(`DynamicSupervisor(${type.name})`);
      const { source } = this.compile(listed);
      keyed = new KeyedServers(this.runtime, {
        label: type.name,
        source,
        options: common,
        restart,
        shutdownMs,
        supervisorName,
        supervisorSlot: this.world.localNames.pin(supervisorName),
      });
      this.keyed.set(listed, keyed);
    }
    return keyed;
  }

  private findKeyed(server: unknown): KeyedServers | undefined {
    const listed = this.catalog.servers.find(({ declared, type }) => declared === server || type === server);
    return listed === undefined ? undefined : this.keyedOf(listed);
  }

  // --- servers ------------------------------------------------------------------------------------------------------------

  private findListed(server: Type, name: ServerName | undefined): ListedServer | undefined {
    return this.catalog.servers.find(
      (listed) =>
        listed.declared === server &&
        (isSameName(listed.givenName, name) || (name !== undefined && isSameName(listed.name, name))),
    );
  }

  private findByDestination(destination: Destination, server?: Type): ListedServer | undefined {
    const { servers } = this.catalog;
    const type = server ?? (isOfKey(destination) ? destination.server : undefined);
    if (type !== undefined) return servers.find(({ declared }) => declared === type);
    const name = (destination as Partial<Addressed> | null)?.[DESTINATION] ?? destination;
    return servers.find((listed) => isSameName(listed.name, name as ServerName));
  }

  /** What stands behind a class that somebody wants to start by hand. */
  private findSource(server: unknown): ServerBlueprint | undefined {
    const listed = this.catalog.servers.find(({ declared, type }) => declared === server || type === server);
    return listed === undefined ? undefined : this.compile(listed).source;
  }

  private addLate(server: ListedServer): void {
    const { modules, servers, doubles } = this.catalog;
    this.explored = {
      modules: new Map([...modules, [server.module, [...(modules.get(server.module) ?? []), server]]]),
      servers: [...servers, server],
      doubles,
    };
  }

  private compile(server: ListedServer): CompiledServer {
    let compiled = this.compiled.get(server);
    if (compiled === undefined) {
      const { type, options, module } = server;
      const definition = compileServer(type, options, this.isReplyError);
      const instances = new InstanceFactory(type as Type<GenServerBase<unknown>>, module);
      // The name belongs to the one that is listed; whoever starts another gives it one of its own.
      const { name: _, ...defaults } = findServerOptions(type) ?? {};
      compiled = { source: { definition, defaults, create: () => instances.create() }, stubs: stubsOf(type) };
      this.compiled.set(server, compiled);
    }
    return compiled;
  }

  private absenceHint({ module }: ListedServer): string {
    switch (this.tree.status) {
      case 'not_started':
        return 'Servers start when every onModuleInit is done: call it from onApplicationBootstrap or later.';
      case 'starting':
        return (
          `It has not started yet: servers start one at a time, in the order of modules and providers, and it stands in ` +
          `${module.name}. List it earlier, or call it from onApplicationBootstrap.`
        );
      case 'running':
        return 'It has ended, or is being restarted: nothing waits for it to come back.';
      case 'gave_up':
        return 'The supervision tree has given up after too many restarts.';
      case 'stopping':
        return 'The application is shutting down.';
      case 'stopped':
        return 'The application has been closed, or did not start.';
    }
  }

  private gaveUp(reason: ExitReason): void {
    this.logger.error(
      `The supervision tree has given up (${this.printed(reason)}): more restarts than its budget allows. No server runs any more.`,
    );
    const { onTreeExit = 'shutdown' } = this.options;
    if (typeof onTreeExit === 'function') void this.tell(onTreeExit, reason);
    else if (onTreeExit === 'shutdown') shutDownApplication(this.runtime.clock);
  }

  private printed(reason: ExitReason): string {
    return formatReason(this.runtime.redaction.reason(reason));
  }

  private async tell(onTreeExit: Extract<OnTreeExit, CallableFunction>, reason: ExitReason): Promise<void> {
    try {
      await onTreeExit(reason);
    } catch (error) {
      this.logger.error(`onTreeExit failed: ${this.printed(error)}`, (error as Error | undefined)?.stack);
    }
  }
}

/** Public methods that are no handlers of any kind. What every object has, and what Nest looks for, stays away. */
export function stubsOf(type: Type): readonly string[] {
  const handlers = new Set(decoratedMethods(type).map(({ name }) => name));
  const names = new Set<string>();
  for (
    let proto = type.prototype as object;
    proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object
  ) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      const isMethod = typeof Object.getOwnPropertyDescriptor(proto, name)?.value === 'function';
      if (isMethod && !handlers.has(name) && !NEVER_ON_A_CLIENT.has(name)) names.add(name);
    }
  }
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

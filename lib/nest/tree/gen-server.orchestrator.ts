import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { createWorld, type World } from '../../create-runtime.js';
import { StrayErrors } from '../../gen-server/stray-errors.js';
import { LogReporter } from '../../observability/log-reporter.js';
import { type ExitReason, formatReason } from '../../runtime/exits/exit-reason.js';
import type { Runtime } from '../../runtime/runtime.js';
import { ClientFactory } from '../clients/client.factory.js';
import { PubSub } from '../clients/pub-sub.js';
import { CompiledServers } from '../discovery/compiled-servers.js';
import { exploreServers } from '../discovery/gen-server.explorer.js';
import type { ListedServers } from '../discovery/listed-servers.js';
import { checkModuleOptions } from '../discovery/options.validator.js';
import type { ProvidedServer } from '../discovery/provided-servers.js';
import { replyErrorTest } from '../discovery/reply-errors.js';
import { GENSERVER_MODULE_OPTIONS, GENSERVER_OPTION_OVERRIDES } from '../gen-server.constants.js';
import { attributedOrigins, type GenServerModuleOptions, type OnTreeExit } from '../gen-server.options.js';
import { clientRequests } from '../injection/inject-gen-server.js';
import { ApplicationSupervisor } from './application-supervisor.js';
import { ApplicationTasks } from './application-tasks.js';
import { isLogging } from './is-logging.js';
import { shutDownApplication } from './tree-exit.js';

/**
 * Assembles, starts and stops the servers of an application: what the modules list, the world and the tree that the
 * servers run in, and the clients that talk to them. One per application.
 */
@Injectable()
export class GenServerOrchestrator {
  /** Its PubSub is the one that is injected. */
  readonly world: World<PubSub>;
  readonly tree: ApplicationSupervisor;
  readonly tasks: ApplicationTasks;
  readonly clients: ClientFactory;
  private readonly options: GenServerModuleOptions;
  private readonly listed: ListedServers;
  private readonly compiled: CompiledServers;
  private readonly logger = new Logger('GenServer');
  private readonly strayErrors: StrayErrors;

  constructor(
    @Optional() @Inject(GENSERVER_MODULE_OPTIONS) given: GenServerModuleOptions = {},
    private readonly modules: ModulesContainer,
    @Inject(GENSERVER_OPTION_OVERRIDES) overrides: GenServerModuleOptions,
  ) {
    const options = { ...given, ...overrides };
    this.options = options;
    checkModuleOptions(options);
    this.world = createWorld({
      clock: options.clock,
      globalNames: options.globalNames,
      tracking: attributedOrigins(options).length > 0 ? true : options.tracking,
      limits: options.limits,
      redact: options.redact,
      showValues: options.showValues,
      findServer: (server) => {
        const listed = this.listed.findByClass(server);
        return listed === undefined ? undefined : this.compiled.of(listed).blueprint;
      },
      findKeys: (server) => {
        const listed = this.listed.findByClass(server);
        return listed === undefined ? undefined : this.clients.keyedOf(listed)?.keys;
      },
      makePubSub: (runtime) => new PubSub(runtime),
    });
    const { runtime, events, localNames } = this.world;
    this.strayErrors = new StrayErrors(runtime, attributedOrigins(options));
    new LogReporter(this.logger, () => isLogging(this.logger)).subscribe(events);
    this.tree = new ApplicationSupervisor({
      runtime,
      events,
      options: options.supervisor ?? {},
      blueprintOf: (server) => this.compiled.of(server).blueprint,
      keyedOf: (server) => this.clients.keyedOf(server),
      onGaveUp: (reason) => this.gaveUp(reason),
    });
    this.tasks = new ApplicationTasks(runtime, () => this.tree.status);
    this.compiled = new CompiledServers(replyErrorTest(options.replyErrors));
    // By now Nest knows all modules.
    this.listed = exploreServers(modules);
    this.clients = new ClientFactory({
      runtime,
      localNames,
      modules,
      listed: this.listed,
      compiled: this.compiled,
      explainAbsence: (server) => this.tree.explainAbsence(server),
    });
    // Mistakes are reported while Nest creates the providers. Later would be too late for some: Nest waits for ever for the
    // template of a class with a method `then`.
    for (const server of this.listed.servers) this.compiled.of(server);
  }

  get runtime(): Runtime {
    return this.world.runtime;
  }

  /** Starts the tree: after the last `onModuleInit`, before the first `onApplicationBootstrap`. */
  async start(): Promise<void> {
    this.refuseMissingClients();
    this.strayErrors.start();
    try {
      await this.tree.start(this.listed);
    } catch (error) {
      this.strayErrors.stop();
      throw error;
    }
    const { servers, modules } = this.listed;
    if (servers.length > 0) this.logger.log(`${servers.length} server(s) of ${modules.size} module(s) started`);
  }

  /** Stops the tree: before the first `onModuleDestroy`. */
  async stop(): Promise<void> {
    await this.tasks.stop();
    const { count, stopped, tookMs } = await this.tree.stop().finally(() => this.strayErrors.stop());
    await this.untilEndsAreTold();
    if (count === 0) return;
    this.logger.log(`${count} server(s) stopped in ${Math.round(tookMs)} ms`);
    for (const { server, reason, undrained } of stopped.filter((entry) => entry.undrained > 0)) {
      this.logger.warn(`${server} was stopped (${this.printed(reason)}) with ${undrained} message(s) not handled`);
    }
  }

  /**
   * One turn of the event loop, in which routes whose server has ended answer their own clients. Nest closes idle connections next, and
   * an event stream that ended just after that would keep its connection, and the close, for as long as an idle one may last.
   */
  private untilEndsAreTold(): Promise<void> {
    return new Promise((resolve) => this.runtime.clock.nextTurn(resolve));
  }

  /** Middleware comes last: Nest creates it after every provider has received its dependencies. */
  private refuseMissingClients(): void {
    const given = new Set<unknown>();
    for (const { providers } of this.modules.values()) {
      for (const [token, provider] of providers) {
        if (typeof token === 'symbol' && provider.instance !== undefined) given.add(token);
      }
    }
    for (const request of clientRequests()) if (!given.has(request.token)) this.clients.clientFor(request);
  }

  /** The client that `provideGenServer` provides. In a lazily loaded module, its server starts now. */
  async provide(provided: ProvidedServer): Promise<object> {
    const present = this.listed.findProvided(provided);
    if (present !== undefined) return this.clients.clientOf(present);
    const late = exploreServers(this.modules).findProvided(provided)!;
    const client = this.clients.clientOf(late);
    await this.tree.startLate(late);
    this.listed.add(late);
    return client;
  }

  private gaveUp(reason: ExitReason): void {
    this.logger.error(
      `The supervision tree has given up (${this.printed(reason)}): more restarts than its budget allows. No server runs any more.`,
    );
    const { onTreeExit = 'shutdown' } = this.options;
    if (typeof onTreeExit === 'function') void this.tell(onTreeExit, reason);
    else if (onTreeExit === 'shutdown') {
      const isClosing = (): boolean => this.tree.status === 'stopping' || this.tree.status === 'stopped';
      shutDownApplication({ clock: this.runtime.clock, modules: this.modules, isClosing });
    }
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

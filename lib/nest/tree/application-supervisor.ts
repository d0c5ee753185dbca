import type { Type } from '@nestjs/common';
import { stop as stopServer } from '../../gen-server/client/client.js';
import { StartError } from '../../gen-server/errors.js';
import type { ServerBlueprint } from '../../gen-server/definition/server-definition.js';
import type { EventBus } from '../../observability/event-bus.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { watch } from '../../runtime/relations/monitors.js';
import type { Pid } from '../../runtime/pid.js';
import { formatName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { type ChildId, type ChildSpec, childSpec } from '../../supervision/child-spec.js';
import { dynamicSupervisorChildSpec } from '../../supervision/dynamic-supervisor.js';
import type { ChildStopped } from '../../supervision/events.js';
import { ChildStartError } from '../../supervision/errors.js';
import { processesOf } from '../../runtime/process.js';
import { kill, shutDownStray } from '../../supervision/shutdown.js';
import {
  blueprintOfSupervisor,
  spawnSupervisor,
  Supervisor,
  supervisorChildSpec,
} from '../../supervision/supervisor.js';
import type { SupervisorOptions } from '../../supervision/supervisor-options.js';
import type { ListedServer, ListedServers } from '../discovery/listed-servers.js';
import type { NestModule } from '../discovery/nest-container.js';
import type { KeyedServers } from '../clients/keyed-servers.js';
import { findSupervisorOptions } from '../discovery/gen-server-metadata.accessor.js';
import { hasProperty, propertyOf } from '../../runtime/secrets/inspect-safely.js';

/**
 * The state of the application's tree. `gave_up`: it needed more restarts than the budget allows.
 *
 * @publicApi
 */
export type TreeStatus = 'not_started' | 'starting' | 'running' | 'gave_up' | 'stopping' | 'stopped';

/**
 * What happened when the tree was stopped.
 *
 * @publicApi
 */
export interface StopReport {
  readonly tookMs: number;
  /** How many servers were stopped. */
  readonly count: number;
  /** The first 1 000 of them, in the order they were stopped. */
  readonly stopped: readonly {
    readonly server: string;
    readonly supervisor: string;
    readonly reason: ExitReason;
    readonly tookMs: number;
    /** Messages that were never handled, because the server's shutdown time was up. */
    readonly undrained: number;
  }[];
}

/** A report on a hundred thousand keyed servers would be too long to read. */
const MOST_REPORTED = 1_000;
/** How often stray processes are asked to end before they are killed: each may start others while it ends. */
const PATIENT_ROUNDS = 3;

/** What the application supervisor needs from its surroundings. */
export interface TreeContext {
  readonly runtime: Runtime;
  readonly events: EventBus;
  readonly options: SupervisorOptions;
  blueprintOf(server: ListedServer): ServerBlueprint;
  /** The keyed processes of a server that is started on demand; undefined for any other. */
  keyedOf(server: ListedServer): KeyedServers | undefined;
  onGaveUp(reason: ExitReason): void;
}

/** The two levels of the tree: the application supervisor, and under it one supervisor per module that lists servers. */
export class ApplicationSupervisor {
  status: TreeStatus = 'not_started';
  private root: Pid | undefined;
  private stopping: Promise<StopReport> | undefined;
  /** What the last stop did; undefined before it is done. */
  report: StopReport | undefined;
  /** Servers of lazily loaded modules start one at a time, after the start itself. */
  private lastStart: Promise<unknown> = Promise.resolve();
  private readonly labels = new Map<NestModule, string>();
  /** The number of modules named so far, by label. */
  private readonly namesakes = new Map<string, number>();

  constructor(private readonly context: TreeContext) {}

  get rootPid(): Pid | undefined {
    return this.root;
  }

  /** Starts everything, one server at a time. On failure it stops what was started and rejects (S3, S4). */
  async start({ modules, servers }: ListedServers): Promise<void> {
    // The application may be closed before it is up.
    if (this.stopping !== undefined) return;
    for (const server of servers) server.checkScope();
    const { runtime, options } = this.context;
    const children = [...modules].map(([module, listed]) => this.moduleSpec(module, listed));
    const source = blueprintOfSupervisor({ ...options, label: 'application', children });
    this.status = 'starting';
    const { process, outcome } = spawnSupervisor(runtime, source, undefined);
    this.root = process.pid;
    this.lastStart = outcome;
    const result = await outcome;
    if (result.status !== 'ok') {
      if (this.stopping === undefined) this.status = 'stopped';
      throw explainFailedStart(runtime, result.status === 'error' ? result.reason : result.status);
    }
    if (this.stopping === undefined) this.status = 'running';
    watch(process, (reason) => this.gaveUp(reason));
  }

  /**
   * Starts a server of a module that was loaded after the others, and resolves when it is up. During the start it resolves at
   * once: the code that loads the module is itself part of the start, and would wait for itself.
   */
  async startLate(server: ListedServer): Promise<void> {
    if (this.status !== 'starting' && this.status !== 'running') return;
    const started = this.lastStart.then(() => this.addServer(server));
    this.lastStart = started.catch(() => undefined);
    if (this.status === 'running') await started;
  }

  /**
   * The supervisor of a module, by its class or its own label; that of the application for undefined. Returns what to do when no such
   * supervisor runs.
   */
  async findSupervisor(module: Type | string | undefined): Promise<Pid | string> {
    if (this.root === undefined || this.status !== 'running') {
      return `Supervisors answer while the application runs; now it is ${this.status}.`;
    }
    if (module === undefined) return this.root;
    const labels = [...this.labels].filter(([{ metatype }, label]) => metatype === module || label === module);
    if (labels.length === 1) return (await this.supervisorOf(labels[0]![1])) ?? 'It has ended, or is being restarted.';
    if (labels.length > 1) return `Name one of them: ${labels.map(([, label]) => label).join(', ')}.`;
    return `Only modules that list servers have one: ${[...this.labels.values()].join(', ') || 'there is none'}.`;
  }

  private async supervisorOf(label: string | undefined): Promise<Pid | undefined> {
    const supervisors = await Supervisor.whichChildren(this.context.runtime, this.root!);
    return supervisors.find(({ id }) => id === label)?.pid;
  }

  /** Why a server of this tree may not answer now. */
  explainAbsence({ module }: ListedServer): string {
    switch (this.status) {
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

  private async addServer(server: ListedServer): Promise<void> {
    if (this.status !== 'running') return;
    const { runtime } = this.context;
    const supervisor = await this.supervisorOf(this.labels.get(server.module));
    const spec = this.serverSpec(server);
    try {
      if (supervisor !== undefined) await Supervisor.startChild(runtime, supervisor, spec);
      else await Supervisor.startChild(runtime, this.root!, this.moduleSpec(server.module, [server]));
    } catch (error) {
      if (!(error instanceof ChildStartError)) throw error;
      throw explainFailedStart(runtime, error.reason, `${formatName(spec.id)} of ${this.labelOf(server.module)}`);
    }
  }

  /** Stops everything in reverse order, within the budgets. Never throws. Further calls do not stop it again. */
  stop(): Promise<StopReport> {
    return (this.stopping ??= this.stopAll());
  }

  private async stopAll(): Promise<StopReport> {
    const { runtime, events } = this.context;
    this.status = 'stopping';
    const begin = runtime.clock.now();
    const stopped: StopReport['stopped'][number][] = [];
    let count = 0;
    const off = events.on('supervisor.child_stopped', (event) => {
      if (event.supervisor === 'application') return;
      count++;
      if (stopped.length < MOST_REPORTED) stopped.push(entryOf(event));
    });
    if (this.root !== undefined) await stopServer(runtime, this.root, 'shutdown').catch(() => undefined);
    await this.stopStrays();
    off();
    runtime.close();
    this.status = 'stopped';
    this.report = { tookMs: runtime.clock.now() - begin, count, stopped };
    return this.report;
  }

  /**
   * Stops processes that were started by hand and have no supervisor. A process may start another one in its `terminate`, so there are
   * several rounds, but a limited number of them.
   */
  private async stopStrays(): Promise<void> {
    const { runtime } = this.context;
    for (let round = 0; runtime.processCount > 0; round++) {
      const isPatient = round < PATIENT_ROUNDS;
      await Promise.all(
        [...processesOf(runtime)].map((process) => (isPatient ? shutDownStray(process) : kill(process))),
      );
    }
  }

  private gaveUp(reason: ExitReason): void {
    if (this.status !== 'running') return;
    this.status = 'gave_up';
    this.context.onGaveUp(reason);
  }

  private moduleSpec(module: NestModule, servers: readonly ListedServer[]): ChildSpec {
    const label = this.labelOf(module);
    const children = servers.map((server) => this.serverSpec(server));
    return supervisorChildSpec({ label, ...findSupervisorOptions(module.metatype), children });
  }

  private serverSpec(server: ListedServer): ChildSpec {
    const { name, options } = server;
    const keyed = this.context.keyedOf(server);
    if (keyed !== undefined) {
      const label = `DynamicSupervisor(${keyed.label})`;
      return dynamicSupervisorChildSpec(
        { label, name: keyed.supervisorName, ...options.supervisor },
        { id: name as ChildId },
      );
    }
    return childSpec(
      this.context.blueprintOf(server),
      { ...options, name },
      // Any name tells children apart, even one that prints like another.
      { id: name as ChildId, restart: options.restart, shutdownMs: options.shutdownMs },
    );
  }

  /** Two dynamic modules of one class are two supervisors. */
  private labelOf(module: NestModule): string {
    const present = this.labels.get(module);
    if (present !== undefined) return present;
    const { name } = module;
    const count = (this.namesakes.get(name) ?? 0) + 1;
    const label = count === 1 ? name : `${name}#${count}`;
    this.namesakes.set(name, count);
    this.labels.set(module, label);
    return label;
  }
}

function entryOf({ supervisor, childId, reason, tookMs, undrained }: ChildStopped): StopReport['stopped'][number] {
  return { server: childId, supervisor, reason, tookMs, undrained };
}

interface FailedChild {
  readonly shutdown: { readonly failedToStartChild: { readonly id: ChildId; readonly reason: unknown } };
}

/** Unwraps the supervisors around a failed start, so that the error names the server and carries the original reason. */
function explainFailedStart(runtime: Runtime, reason: unknown, server?: string): StartError {
  let innermost = reason;
  let path: string | undefined;
  while (isFailedChild(innermost)) {
    const { id, reason: inner } = innermost.shutdown.failedToStartChild;
    path = path === undefined ? String(id) : `${formatName(id)} of ${path}`;
    innermost = inner;
  }
  const told = runtime.redaction.reason(innermost);
  return new StartError(server ?? path ?? 'The supervision tree', told, told);
}

function isFailedChild(reason: unknown): reason is FailedChild {
  return hasProperty(propertyOf(reason, 'shutdown'), 'failedToStartChild');
}

import { markAsHandle } from '../../runtime/isolation/handle.js';
import type { Type } from '@nestjs/common';
import { NoProcessError } from '../../gen-server/errors.js';
import type { ServerBlueprint } from '../../gen-server/definition/server-definition.js';
import type { StartOptions } from '../../gen-server/definition/start-options.js';
import type { Pid } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ChildCounts, ChildInfo } from '../../supervision/child.js';
import { type ChildId, type ChildSpec, childSpec } from '../../supervision/child-spec.js';
import { Supervisor } from '../../supervision/supervisor.js';
import type { ApplicationSupervisor } from './application-supervisor.js';
import type { GenServerOptions } from '../gen-server.options.js';
import { refuseEndlessStarts, restartOf } from '../discovery/options.validator.js';

/**
 * How one more child of a module's supervisor is started. Omitted options default to those in `@GenServer`, and a class that is
 * started on demand is transient here too. With `idleMs` a child may not be permanent: it would be restarted at once.
 *
 * @publicApi
 */
export interface ChildOptions extends StartOptions, Partial<Pick<ChildSpec, 'restart' | 'shutdownMs' | 'significant'>> {
  /** The id that tells it apart from its siblings. Default: its name, or the class when it has none. */
  readonly id?: ChildId | undefined;
}

/**
 * The supervisor of a module, or of the application, for inspecting and changing its children while it runs. Obtained from
 * `GenServerRuntime.supervisor`. It is looked up for each request, so this object outlives a restart of the supervisor. Added children
 * do not: a supervisor that is restarted has the children that the module lists.
 *
 * Requests wait while a child is in `init` (I11), without a timeout. They reject with `NoProcessError` when the supervisor does not
 * run, and with `ChildStateError` when they do not fit the state of the child.
 *
 * @publicApi
 */
export class ModuleSupervisor {
  readonly #runtime: Runtime;
  readonly #tree: ApplicationSupervisor;
  readonly #module: Type | string | undefined;

  /** @internal */
  constructor(runtime: Runtime, tree: ApplicationSupervisor, module: Type | string | undefined) {
    this.#runtime = runtime;
    this.#tree = tree;
    this.#module = module;
  }

  /**
   * Starts one more child after the others, restarts it as they are, and stops it first (S17). `child` is a class that some module
   * lists, or a child spec, which may be that of a supervisor. Returns undefined when its `init` ignored the start. Rejects with
   * `AlreadyStartedError` when a child of that id runs, and with `ChildStartError` when it does not start: no spec is kept then.
   */
  async startChild(child: Type | ChildSpec, options: ChildOptions = {}): Promise<Pid | undefined> {
    const spec = typeof child === 'function' ? childSpecOf(this.#runtime, child, options) : child;
    return Supervisor.startChild(this.#runtime, await this.#find(), spec);
  }

  /** Stops a child and keeps its spec for `restartChild`, unless it is temporary (S18). A child that is already stopped is accepted. */
  async terminateChild(id: ChildId): Promise<void> {
    await Supervisor.terminateChild(this.#runtime, await this.#find(), id);
  }

  /** Starts a stopped child again, in its old place (S18). */
  async restartChild(id: ChildId): Promise<Pid | undefined> {
    return Supervisor.restartChild(this.#runtime, await this.#find(), id);
  }

  /** Forgets a stopped child (S18). */
  async deleteChild(id: ChildId): Promise<void> {
    await Supervisor.deleteChild(this.#runtime, await this.#find(), id);
  }

  /** The children in start order. A server without a name is listed by its class. */
  async whichChildren(): Promise<readonly ChildInfo[]> {
    return Supervisor.whichChildren(this.#runtime, await this.#find());
  }

  async countChildren(): Promise<ChildCounts> {
    return Supervisor.countChildren(this.#runtime, await this.#find());
  }

  async #find(): Promise<Pid> {
    const found = await this.#tree.findSupervisor(this.#module);
    if (typeof found !== 'string') return found;
    const { name } = typeof this.#module === 'function' ? this.#module : { name: this.#module ?? 'application' };
    throw new NoProcessError(`The supervisor ${name}`, found);
  }
}

markAsHandle(ModuleSupervisor.prototype);

/** The child spec of a class that some module lists. */
export function childSpecOf(runtime: Runtime, server: Type, given: ChildOptions): ChildSpec {
  const source = runtime.servers.find(server) as ServerBlueprint;
  const defaults = (source.defaults ?? {}) as GenServerOptions;
  const { id, restart, shutdownMs, significant, ...options } = given;
  const { idleMs = defaults.idleMs, name } = options;
  const policy = restart ?? restartOf(defaults);
  refuseEndlessStarts(server.name, idleMs, policy);
  return childSpec(source, options, {
    id: id ?? (name as ChildId | undefined) ?? server,
    restart: policy,
    shutdownMs: shutdownMs ?? defaults.shutdownMs,
    significant,
  });
}

import { formatDestination } from '../../gen-server/client/destination.js';
import { NoProcessError } from '../../gen-server/errors.js';
import type { GenServerProcess } from '../../gen-server/process/gen-server-process.js';
import type { ServerDefinition } from '../../gen-server/definition/server-definition.js';
import { Pid } from '../../runtime/pid.js';
import { processOf } from '../../runtime/process.js';
import type { ServerName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { hasEndedIdle } from '../../supervision/dynamic-child.js';
import type { Arrival, KeyedServers } from './keyed-servers.js';
import type { ClientTarget } from './client-target.js';

/** What the clients of one keyed server have in common. */
export interface KeyedForm {
  readonly runtime: Runtime;
  readonly keyed: KeyedServers;
  readonly definition: ServerDefinition;
}

/**
 * The process that holds a key. Small, since controllers make a client for each request. The process that was found is remembered while it
 * lives: only the end of a process gives its key back.
 */
export class KeyedTarget implements ClientTarget {
  constructor(
    protected readonly form: KeyedForm,
    protected readonly key: unknown,
    protected holder?: Pid,
  ) {}

  get runtime(): Runtime {
    return this.form.runtime;
  }

  get definition(): ServerDefinition {
    return this.form.definition;
  }

  get destination(): ServerName {
    return { via: this.form.keyed.keys, key: this.key };
  }

  find(): GenServerProcess | undefined {
    return this.findRemembered() ?? this.remember(this.form.keyed.find(this.key));
  }

  absenceHint(): string {
    return 'No process has this key; getOrStart(key) starts one.';
  }

  /** The process that was found last, while it lives. */
  protected findRemembered(): GenServerProcess | undefined {
    const { holder } = this;
    return holder === undefined ? undefined : (processOf(holder) as GenServerProcess | undefined);
  }

  // Remembers the pid and not the process: a client may be kept for ever, and must not keep a process that has ended.
  protected remember(server: GenServerProcess | undefined): GenServerProcess | undefined {
    this.holder = server?.pid;
    return server;
  }
}

/**
 * The process that holds a key. When it has gone idle, or is about to end, the next one is started with these arguments. A process that
 * crashed for good or was stopped is not replaced: the stop was deliberate.
 */
export class StartingTarget extends KeyedTarget {
  constructor(
    form: KeyedForm,
    key: unknown,
    private readonly args: readonly unknown[],
    holder: Pid,
  ) {
    super(form, key, holder);
  }

  override find(): GenServerProcess | undefined {
    const server = this.findRemembered();
    if (server !== undefined && !server.isEnding && !server.isStopQueued) return server;
    const next = this.form.keyed.accepting(this.key);
    // The previous process is remembered while there is no other: how it ended decides whether it is started again.
    return next === undefined ? undefined : this.remember(next);
  }

  whenAccepting(arrival: Arrival): void {
    const { keyed } = this.form;
    if (this.mayStart() || keyed.find(this.key) !== undefined) keyed.whenAccepting(this.key, this.args, arrival);
    else arrival(new NoProcessError(formatDestination(this.destination), this.absenceHint()));
  }

  override absenceHint(): string {
    return 'Its process was stopped or has crashed, and only getOrStart(key, …) starts another.';
  }

  private mayStart(): boolean {
    const { holder } = this;
    return holder === undefined || hasEndedIdle(holder);
  }
}

import { NoProcessError } from '../../gen-server/errors.js';
import type { GenServerProcess } from '../../gen-server/process/gen-server-process.js';
import type { StartOutcome } from '../../gen-server/process/start-observer.js';
import type { ServerBlueprint } from '../../gen-server/definition/server-definition.js';
import { startErrorOf, type StartObserver } from '../../gen-server/process/start-observer.js';
import type { StartOptions } from '../../gen-server/definition/start-options.js';
import { KeyTable } from '../../gen-server/key-table.js';
import type { NameSlot } from '../../registry/name-table.js';
import { watch } from '../../runtime/relations/monitors.js';
import type { Pid } from '../../runtime/pid.js';
import { processOf } from '../../runtime/process.js';
import { ViaKey } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Shutdown } from '../../supervision/child-spec.js';
import { DynamicChildPlan } from '../../supervision/dynamic-child.js';
import { DynamicSupervisorServer } from '../../supervision/dynamic-supervisor-server.js';
import type { Restart } from '../../supervision/restart-policy.js';

/** Waits for the next process of a key: called with the process, or with the reason why there is none. */
export type Arrival = (server: GenServerProcess | Error) => void;

/** What all children of one keyed server have in common. */
export interface KeyedServerSettings {
  readonly label: string;
  readonly source: ServerBlueprint;
  readonly options: StartOptions;
  readonly restart: Restart;
  readonly shutdownMs: Shutdown | undefined;
  /** The local name of the dynamic supervisor, and the slot that says which process holds it. */
  readonly supervisorName: symbol;
  readonly supervisorSlot: NameSlot;
}

/**
 * The processes of a server that is started on demand, by key. At most one lives per key, however many callers ask for it at once: the
 * call that starts the process takes the key before it returns.
 */
export class KeyedServers {
  readonly keys: KeyTable;
  /** Created by the first start, which also refuses invalid options. */
  private plan: DynamicChildPlan | undefined;
  /** Keys whose process is about to end, with the callers that wait for the next one, in order. */
  private readonly awaited = new Map<unknown, Arrival[]>();

  constructor(
    private readonly runtime: Runtime,
    private readonly settings: KeyedServerSettings,
  ) {
    this.keys = new KeyTable();
  }

  get label(): string {
    return this.settings.label;
  }

  /** The local name of the dynamic supervisor. */
  get supervisorName(): symbol {
    return this.settings.supervisorName;
  }

  /** The dynamic supervisor, while it runs. */
  get supervisor(): DynamicSupervisorServer {
    const { holder } = this.settings.supervisorSlot;
    const process = holder === undefined ? undefined : (processOf(holder) as GenServerProcess | undefined);
    const supervisor = process?.running(DynamicSupervisorServer);
    if (supervisor === undefined) throw new NoProcessError(`DynamicSupervisor(${this.label})`, 'It is not running.');
    return supervisor;
  }

  /** The live process of a key, also while it starts or ends. */
  find(key: unknown): GenServerProcess | undefined {
    const pid = this.keys.whereisName(key);
    return pid === undefined ? undefined : (processOf(pid) as GenServerProcess | undefined);
  }

  /** Starts a process; without a key it is anonymous. Throws when the key is taken or there are too many. */
  start(key: unknown, args: readonly unknown[], observer: StartObserver | null): GenServerProcess {
    this.plan ??= new DynamicChildPlan(this.settings);
    const name = key === undefined ? undefined : new ViaKey(this.keys, key);
    return this.supervisor.startChild(this.plan, name, args, observer);
  }

  /** The process of a key if it takes messages now. */
  accepting(key: unknown): GenServerProcess | undefined {
    if (this.awaited.has(key)) return undefined;
    const holder = this.find(key);
    return holder !== undefined && !isLeaving(holder) ? holder : undefined;
  }

  /** Passes `arrival` the process of a key that takes messages, after starting it or waiting for it if necessary. */
  whenAccepting(key: unknown, args: readonly unknown[], arrival: Arrival): void {
    let server: GenServerProcess | undefined;
    try {
      server = this.ensure(key, args);
    } catch (error) {
      arrival(error as Error);
      return;
    }
    if (server === undefined) this.awaited.get(key)!.push(arrival);
    else arrival(server);
  }

  /** The process of a key that takes messages, started if there is none. Undefined while the last one is ending. */
  private ensure(key: unknown, args: readonly unknown[]): GenServerProcess | undefined {
    if (this.awaited.has(key)) return undefined;
    const holder = this.find(key);
    if (holder === undefined) return this.start(key, args, null);
    if (!isLeaving(holder)) return holder;
    this.awaited.set(key, []);
    // In a microtask: when the process crashed, its supervisor acts first, and what the supervisor starts is the next process.
    watch(holder, () => void Promise.resolve().then(() => this.arrive(key, args)));
    return undefined;
  }

  /** Starts one process for any number of concurrent callers; resolves with its pid when its `init` is done. */
  async getOrStart(key: unknown, args: readonly unknown[]): Promise<Pid> {
    let holder!: Pid;
    const outcome = await new Promise<StartOutcome>((resolve, reject) => {
      this.whenAccepting(key, args, (server) => {
        if (server instanceof Error) {
          reject(server);
          return;
        }
        holder = server.pid;
        // Read at once: one turn later the start may be over and the process gone.
        resolve(server.startOutcome);
      });
    });
    if (outcome.status !== 'ok') throw startErrorOf({ runtime: this.runtime, label: this.label }, outcome);
    return holder;
  }

  /** The old process is gone: the callers that waited are served, in order, before any that come now. */
  private arrive(key: unknown, args: readonly unknown[]): void {
    const waiting = this.awaited.get(key)!;
    this.awaited.delete(key);
    let next: GenServerProcess | Error | undefined;
    try {
      next = this.ensure(key, args);
    } catch (error) {
      next = error as Error;
    }
    // The next process may be ending already; the callers then keep waiting, still ahead of all later ones.
    if (next === undefined) this.awaited.get(key)!.unshift(...waiting);
    else for (const arrival of waiting) arrival(next);
  }
}

/** Whether a message sent now would come too late: the process is in its `terminate`, or a request to end it waits in its queue. */
function isLeaving(process: GenServerProcess): boolean {
  return process.isEnding || process.isStopQueued;
}

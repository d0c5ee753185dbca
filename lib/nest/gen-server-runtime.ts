import { markAsHandle } from '../runtime/isolation/handle.js';
import { Injectable, type Type } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { World } from '../create-runtime.js';
import { Agent, type AgentOptions } from '../gen-server/agent.js';
import * as client from '../gen-server/client/client.js';
import { type ConfigChange, configChange } from '../gen-server/client/config-change.js';
import {
  type Destination,
  formatDestination,
  resolve,
  resolveProcess,
  whereis,
} from '../gen-server/client/destination.js';
import { NoProcessError, StartError } from '../gen-server/errors.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import { start } from '../gen-server/client/start.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { Sys } from '../gen-server/client/sys.js';
import { type GenServerEvent, reportDetachedListener } from '../observability/events.js';
import { inspectTree, prettyPrint, type ProcessTree } from '../observability/process-inspector.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import { Down } from '../runtime/exits/messages.js';
import { watch } from '../runtime/relations/monitors.js';
import type { Pid, Ref } from '../runtime/pid.js';
import type { ChildSpec } from '../supervision/child-spec.js';
import { GuardedObservable } from './transport/guarded-observable.js';
import type { StopReport, TreeStatus } from './tree/application-supervisor.js';
import { bind } from './clients/client-target.js';
import type { GenServerClient } from './clients/gen-server-client.js';
import { type ChildOptions, childSpecOf, ModuleSupervisor } from './tree/module-supervisor.js';
import { GenServerOrchestrator } from './tree/gen-server.orchestrator.js';

/** A monitor held by code outside of any process. @publicApi */
export interface Monitoring {
  readonly ref: Ref;
  /** Resolves once, when the process has ended; with reason `'noproc'` when there was none. */
  readonly down: Promise<Down>;
  /** Ends the watch; `down` then stays pending. Returns whether the watch was still active. */
  demonitor(): boolean;
}

/**
 * Everything that can be done with servers without an injected client: from a REPL, a script, a test or a health check.
 *
 * @publicApi
 */
@Injectable()
export class GenServerRuntime {
  /** Inspects running servers: state, suspend and resume, statistics, trace, status, change of code. */
  readonly sys: Sys;

  constructor(private readonly orchestrator: GenServerOrchestrator) {
    this.sys = new Sys(orchestrator.runtime);
  }

  /** The world that an application's servers live in, for the test kit. @internal */
  static worldOf(runtime: GenServerRuntime): World {
    return runtime.orchestrator.world;
  }

  /**
   * The state of the supervision tree. A readiness probe should report ready only while it is `'running'`.
   */
  get status(): TreeStatus {
    return this.orchestrator.tree.status;
  }

  /** Whether servers answer: the tree is up, and has not given up. */
  get isReady(): boolean {
    return this.status === 'running';
  }

  /**
   * A client for a destination, typed by hand: `runtime.client<KVStore>('other')`. The methods are those of `server` when it is
   * given, else of the server that is listed under that name or runs there now; throws `NoProcessError` when neither is known.
   */
  client<T>(destination: Destination, server?: Type<T>): GenServerClient<T> {
    const found = this.orchestrator.clients.targetFor(destination, server);
    if (found === undefined) {
      throw new NoProcessError(
        formatDestination(destination),
        'Give the class as second argument to make a client all the same.',
      );
    }
    return bind(found.target, {}, found.stubs) as GenServerClient<T>;
  }

  /** Calls a handler by name. Rejects as an injected client would, and with `UnknownHandlerError` for any other name. */
  async call<R = unknown>(
    destination: Destination,
    method: string | symbol,
    args: readonly unknown[] = [],
    options: client.CallOptions = {},
  ): Promise<R> {
    const { runtime } = this.orchestrator;
    if (resolve(runtime, destination) === undefined) {
      throw new NoProcessError(formatDestination(destination), this.orchestrator.clients.explainAbsence(destination));
    }
    return (await client.call(runtime, destination, method, args, options)) as R;
  }

  /** Casts to a handler by name. Silent when there is no process; throws `UnknownHandlerError` for a name that is not a cast handler. */
  cast(destination: Destination, method: string | symbol, args: readonly unknown[] = []): void {
    client.cast(this.orchestrator.runtime, destination, method, args);
  }

  /** Sends a plain message, for `@HandleInfo`. Silent when a pid has ended; throws `NoProcessError` for an unregistered name. */
  send(destination: Destination, message: unknown): void {
    client.send(this.orchestrator.runtime, destination, message);
  }

  /**
   * Starts one more process of a class that a module lists, without a link: nothing restarts it, and it is stopped when the
   * application is. Rejects with `StartError` or `AlreadyStartedError`. From inside a server use `self.startLink`.
   */
  async start(server: Type, options: StartOptions = {}): Promise<Pid> {
    const { runtime } = this.orchestrator;
    // Nothing would stop it.
    if (this.status === 'stopping' || this.status === 'stopped') throw new StartError(server.name, 'shutdown');
    return start(runtime, runtime.servers.find(server) as ServerBlueprint, options);
  }

  /**
   * Starts a process that only holds a state, without a link, and stopped when the application is: `makeState` returns the first
   * state. Rejects with `StartError` or `AlreadyStartedError`.
   */
  async startAgent<S>(makeState: () => S | PromiseLike<S>, options: AgentOptions = {}): Promise<Agent<S>> {
    if (this.status === 'stopping' || this.status === 'stopped') throw new StartError('Agent', 'shutdown');
    return Agent.start(this.orchestrator.runtime, makeState, options);
  }

  /**
   * The supervisor of a module that lists servers, for inspecting and changing its children while it runs. Two dynamic modules of
   * one class are told apart by their labels, as the tree prints them: `'CartModule'`, `'CartModule#2'`. Without a module: the
   * supervisor of the application, whose children are the modules' supervisors.
   */
  supervisor(module?: Type | string): ModuleSupervisor {
    return new ModuleSupervisor(this.orchestrator.runtime, this.orchestrator.tree, module);
  }

  /**
   * The child spec of a class that some module lists, for use as a child of your own supervisor, nested below a module's.
   * Throws when no module lists the class.
   */
  childSpec(server: Type, options: ChildOptions = {}): ChildSpec {
    return childSpecOf(this.orchestrator.runtime, server, options);
  }

  /**
   * Ends a process after all queued messages, and resolves when it is gone. Its supervisor decides from the reason whether to
   * restart it. Rejects with `NoProcessError`, with `ServerExitedError` when it ended with another reason, or with `CallTimeoutError`.
   */
  async stop(destination: Destination, reason: ExitReason = 'normal', timeoutMs = Infinity): Promise<void> {
    await client.stop(this.orchestrator.runtime, destination, reason, timeoutMs);
  }

  /**
   * Tells every live server that defines `onConfigChange` how the configuration changed, however it was started, after the messages in
   * its mailbox (AP5). The library reads no configuration itself: the application calls this when it notices a change. Returns the
   * number of servers told: 0 when nothing has changed.
   */
  configChange(change: Partial<ConfigChange>): number {
    return configChange(this.orchestrator.runtime, change);
  }

  /** Sends an exit signal: `'kill'` ends the process at once and without `terminate`. Silent when there is no process. */
  exit(destination: Destination, reason: ExitReason): void {
    client.exit(this.orchestrator.runtime, destination, reason, null);
  }

  /** The process that holds a name now, or a given pid while it lives. */
  whereis(destination: Destination): Pid | undefined {
    return whereis(this.orchestrator.runtime, destination);
  }

  /** Watches one incarnation. */
  monitor(destination: Destination): Monitoring {
    const { runtime } = this.orchestrator;
    const target = resolveProcess(runtime, destination);
    const ref = runtime.newRef();
    if (target === undefined) {
      const down = Promise.resolve(new Down(ref, undefined, destination, 'noproc'));
      return { ref, down, demonitor: () => false };
    }
    let settle!: (down: Down) => void;
    const down = new Promise<Down>((resolveDown) => {
      settle = resolveDown;
    });
    const { pid } = target;
    const monitor = watch(target, (reason) => settle(new Down(ref, pid, destination, reason)));
    return { ref, down, demonitor: () => monitor.stop() };
  }

  /**
   * Emits the `Down` of the process at a destination, then completes. Unsubscribing ends the watch. A subscriber that throws is detached
   * and reported by `observability.listener_detached`.
   */
  down$(destination: Destination): Observable<Down> {
    const onDetached = (error: unknown): void => this.listenerDetached('down$', error);
    return new GuardedObservable(onDetached, (sink) => {
      const monitoring = this.monitor(destination);
      void monitoring.down.then((down) => {
        sink.next(down);
        sink.complete();
      });
      return () => {
        monitoring.demonitor();
      };
    });
  }

  /**
   * Emits every event of the library as it happens. Events are created only while there are listeners for them. A
   * subscriber that throws is detached and reported by `observability.listener_detached`.
   */
  get events$(): Observable<GenServerEvent> {
    // The event being delivered now. An async subscriber throws later, when the event can no longer be known.
    let during = 'events$';
    const onDetached = (error: unknown): void => this.listenerDetached(during, error);
    return new GuardedObservable(onDetached, (sink) =>
      this.orchestrator.world.events.onAny((event) => {
        const outer = during;
        during = event.type;
        sink.next(event);
        during = outer;
      }),
    );
  }

  private listenerDetached(during: string, error: unknown): void {
    reportDetachedListener(this.orchestrator.runtime.events, during, error);
  }

  /** The report of the application's stop: which servers were stopped, how long it took, and what was not handled. Undefined before. */
  get stopReport(): StopReport | undefined {
    return this.orchestrator.tree.report;
  }

  /** How many casts have had no receiver so far. Each emits an event, and the first of its kind is logged. */
  get droppedCasts(): number {
    return this.orchestrator.runtime.droppedCasts;
  }

  /** The supervision tree as it is now, to be printed or sent as JSON. Undefined before the start and after the end. */
  tree(): ProcessTree | undefined {
    const { rootPid } = this.orchestrator.tree;
    return rootPid === undefined ? undefined : inspectTree(this.orchestrator.runtime, rootPid);
  }

  /** The tree drawn with lines, for a terminal. */
  printTree(): string {
    const tree = this.tree();
    return tree === undefined ? '(no supervision tree)' : prettyPrint(tree);
  }
}

markAsHandle(GenServerRuntime.prototype);

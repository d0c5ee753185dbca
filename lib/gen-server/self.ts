import { markAsHandle } from '../runtime/isolation/handle.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import { Down, Exit } from '../runtime/exits/messages.js';
import { LimitExceededError } from '../runtime/limits.js';
import { demonitor, monitor } from '../runtime/relations/monitors.js';
import { link, unlink } from '../runtime/relations/links.js';
import { INFO_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { Pid, Ref } from '../runtime/pid.js';
import { isInstanceOf } from '../runtime/secrets/inspect-safely.js';
import { cancelTimer, readTimer, TimerRef } from '../runtime/timers.js';
import { exit, send, sendAfter } from './client/client.js';
import { type Destination, formatDestination, resolveProcess } from './client/destination.js';
import { NoProcessError } from './errors.js';
import type { GenServerProcess } from './process/gen-server-process.js';
import { ProcessHandle, serverOf } from './process/process-handle.js';
import type { ServerBlueprint } from './definition/server-definition.js';
import { start } from './client/start.js';
import type { StartOptions } from './definition/start-options.js';
import { startTask, type Task } from './tasks/task.js';
import type { TaskFunction } from './tasks/task-process.js';

/** Thrown by `self.exit(reason)` to leave the callback. The process is marked as exiting too, so catching this error changes nothing. */
class SelfExit extends Error {
  constructor(readonly reason: ExitReason) {
    super('The process is exiting. Do not catch this: it is not an error.');
    this.name = 'SelfExit';
  }
}

/**
 * The operations that act on behalf of one process: send, monitor, link, set timers, exit. A `self` belongs to one incarnation. Once that
 * has ended, its methods have no effect, so the late continuation of a handler that was cut short cannot do any harm.
 *
 * @publicApi
 */
export class Self extends ProcessHandle {
  #controller: AbortController | undefined;

  get pid(): Pid {
    return serverOf(this).pid;
  }

  /** Fires when this incarnation ends, for whatever reason. Pass it to `fetch` and other functions that take an `AbortSignal`. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (!serverOf(this).isAlive) this.#controller.abort();
    return this.#controller.signal;
  }

  /**
   * Sends a plain message. A message to a pid that has ended is lost without an error (C8).
   *
   * @throws {NoProcessError} No process holds the name `destination`.
   */
  send(destination: Destination, message: unknown): void {
    if (serverOf(this).isFenced) return;
    send(serverOf(this).runtime, destination, message);
  }

  /**
   * Sends `message` in `ms` milliseconds, 0 or more and finite. A timer for a pid is cancelled when that process ends; a timer for a name
   * sends to the holder of the name at the time it fires (K2).
   *
   * @throws {InvalidArgumentError} `ms` is not such a number. No timer was set.
   */
  sendAfter(destination: Destination, message: unknown, ms: number): TimerRef {
    const server = serverOf(this);
    const { runtime, isFenced } = server;
    if (isFenced) return new TimerRef(runtime.nextRefId());
    return sendAfter(runtime, destination, message, ms, server);
  }

  /** Cancels a timer. Returns the milliseconds that were left, or false if it has fired or was cancelled already (K1). */
  cancelTimer(timer: TimerRef): number | false {
    return serverOf(this).isFenced ? false : cancelTimer(serverOf(this).runtime, timer);
  }

  /** Returns the milliseconds until a timer fires, or false if it has fired or was cancelled. */
  readTimer(timer: TimerRef): number | false {
    return readTimer(serverOf(this).runtime, timer);
  }

  /**
   * Requests one `Down` message for when the process behind `destination` ends. If there is no such process, the message comes at once,
   * with reason `'noproc'` (M1). A monitor watches one incarnation, not a name (M3).
   *
   * @returns The reference that the `Down` carries.
   * @throws {LimitExceededError} This process has as many monitors as `limits.monitors` allows. Nothing is monitored.
   */
  monitor(destination: Destination): Ref {
    const { runtime, isFenced, label, relations } = serverOf(this);
    if (isFenced) return runtime.newRef();
    const { monitors } = runtime.limits;
    if (relations?.watching != null && relations.watching.size >= monitors)
      throw new LimitExceededError(label, 'monitors', monitors);
    return monitor(serverOf(this), resolveProcess(runtime, destination), destination);
  }

  /**
   * Ends a monitor. Returns whether it was still active: false if it has already reported. With `flush`, a `Down` that is already in the
   * mailbox is removed; the result is false in that case too (M2).
   */
  demonitor(ref: Ref, options: { flush?: boolean } = {}): boolean {
    if (serverOf(this).isFenced) return false;
    const wasOn = demonitor(serverOf(this), ref);
    if (!wasOn && options.flush === true) serverOf(this).forgetMessage(ref, (message) => message instanceof Down);
    return wasOn;
  }

  /**
   * Links this process to another one (L1): when either ends abnormally, so does the other, unless it traps exits.
   *
   * @throws {NoProcessError} There is no such process, and this process does not trap exits. If it does, it gets an `Exit` message with
   *   reason `'noproc'` instead (L2).
   */
  link(destination: Destination): void {
    const { runtime, isFenced } = serverOf(this);
    if (isFenced) return;
    const other = resolveProcess(runtime, destination);
    if (other !== undefined) {
      link(serverOf(this), other);
      return;
    }
    if (!serverOf(this).trapsExits)
      throw new NoProcessError(formatDestination(destination), 'A link needs a live process.');
    const pid = isInstanceOf(destination, Pid) ? destination : undefined;
    serverOf(this).deliver(INFO_ENVELOPE, new Exit(pid, 'noproc'));
  }

  /** Removes the link to another process, if there is one. Exit signals that were already sent still arrive. */
  unlink(destination: Destination): void {
    const { runtime, isFenced } = serverOf(this);
    const other = isFenced ? undefined : resolveProcess(runtime, destination);
    if (other !== undefined) unlink(serverOf(this), other);
  }

  /**
   * Starts a server that is linked to this process, which becomes its parent: when this process ends, so does the child.
   *
   * @throws {StartError} The start failed. It also ends this process, unless this process traps exits (I3).
   * @throws {AlreadyStartedError} Another process holds the name. No process was started.
   * @throws {NoProcessError} This process has ended.
   */
  async startLink(server: unknown, options: StartOptions = {}): Promise<Pid> {
    const { runtime, isFenced } = serverOf(this);
    if (isFenced) throw new NoProcessError(this.pid.toString());
    return start(runtime, runtime.servers.find(server) as ServerBlueprint, options, { parent: serverOf(this) });
  }

  /**
   * Runs `work` in a task of its own, outside of the mailbox: this process handles messages meanwhile. The task is not linked, but it is
   * stopped when this process ends. If no code waits for the result when the task ends, this process gets a `TaskResult` and a `Down`
   * message; if the task failed, only a `Down` with the thrown value, and never an unhandled rejection (K15).
   *
   * A task may also answer a call: `void this.self.task(…).then(from.reply, from.replyError)`.
   */
  task<T>(work: TaskFunction<T>): Task<T> {
    return startTask(serverOf(this).runtime, work, { owner: serverOf(this), endsWithOwner: true });
  }

  /**
   * Subscribes this process to `topic`: it gets what is broadcast there, as plain messages (B1). Topics match exactly; there are no
   * wildcards. A process that subscribes twice gets every message twice. Subscriptions end with the process, so subscribe in `init`, which
   * also runs after a restart (B3).
   *
   * @param options.metadata  A value for a custom dispatcher of the application (B4). Default: undefined.
   */
  subscribe(topic: string, options: { readonly metadata?: unknown } = {}): void {
    serverOf(this).runtime.topics.subscribe(this, topic, options);
  }

  /** Ends all subscriptions of this process to `topic`. Messages that are already in the mailbox stay there. */
  unsubscribe(topic: string): void {
    serverOf(this).runtime.topics.unsubscribe(this, topic);
  }

  /** Sends `message` to every subscriber of `topic`, including this process if it is one (B2). */
  broadcast(topic: string, message: unknown): void {
    if (!serverOf(this).isFenced) serverOf(this).runtime.topics.broadcast(topic, message);
  }

  /** Ends this process with `reason`, after `terminate` has run. Code after this call does not run, and no `catch` can undo the exit. */
  exit(reason: ExitReason): never;
  /** Sends an exit signal to another process. The reason `'kill'` cannot be trapped and skips `terminate` (E6). */
  exit(destination: Destination, reason: ExitReason): void;
  exit(...args: [ExitReason] | [Destination, ExitReason]): void {
    const server = serverOf(this);
    if (args.length === 1) {
      server.markExit(args[0]);
      throw new SelfExit(args[0]);
    }
    if (!server.isFenced) exit(server.runtime, args[0], args[1], server);
  }

  /** @internal */
  close(reason: ExitReason): void {
    this.#controller?.abort(reason);
  }
}

/** The `self` of a process, created on first use. */
export function selfOf(server: GenServerProcess): Self {
  return (server.handle ??= new Self(server)) as Self;
}
markAsHandle(Self.prototype);

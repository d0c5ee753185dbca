import { markAsHandle } from '../runtime/isolation/handle.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import { Down, Exit } from '../runtime/exits/messages.js';
import { LimitExceededError } from '../runtime/limits.js';
import { demonitor, monitor } from '../runtime/relations/monitors.js';
import { link, unlink } from '../runtime/relations/links.js';
import { INFO_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { Pid, Ref } from '../runtime/pid.js';
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

/** Thrown by `self.exit(reason)`; the incarnation is marked as well, so that catching it changes nothing. */
class SelfExit extends Error {
  constructor(readonly reason: ExitReason) {
    super('The process exits. This is no error: do not catch it.');
    this.name = 'SelfExit';
  }
}

/**
 * What a process can do as itself. It belongs to one incarnation: when that has ended, it does nothing any more, so an
 * abandoned handler cannot reach out of its grave.
 *
 * @publicApi
 */
export class Self extends ProcessHandle {
  #controller: AbortController | undefined;

  get pid(): Pid {
    return serverOf(this).pid;
  }

  /** Fires when this incarnation ends, however it ends: for `fetch` and whatever else takes an `AbortSignal`. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (!serverOf(this).isAlive) this.#controller.abort();
    return this.#controller.signal;
  }

  /**
   * Sends a plain message. Silent when `destination` is a pid that has ended; throws `NoProcessError` for a name that nobody
   * holds (C8).
   */
  send(destination: Destination, message: unknown): void {
    if (serverOf(this).isFenced) return;
    send(serverOf(this).runtime, destination, message);
  }

  /**
   * Sends `message` in `ms` milliseconds, 0 or more. Timers of a process for itself end with it; one for a name finds the
   * holder when the time has come (K2).
   */
  sendAfter(destination: Destination, message: unknown, ms: number): TimerRef {
    const server = serverOf(this);
    const { runtime, isFenced } = server;
    if (isFenced) return new TimerRef(runtime.nextRefId());
    return sendAfter(runtime, destination, message, ms, server);
  }

  /** Cancels a timer: the milliseconds that were left, or false when it has fired or was cancelled (K1). */
  cancelTimer(timer: TimerRef): number | false {
    return serverOf(this).isFenced ? false : cancelTimer(serverOf(this).runtime, timer);
  }

  /** The milliseconds until a timer fires, or false as for {@link cancelTimer}. */
  readTimer(timer: TimerRef): number | false {
    return readTimer(serverOf(this).runtime, timer);
  }

  /**
   * Asks for one `Down` message when the process behind `destination` ends; at once, with `'noproc'`, when there is none
   * (M1). It watches one incarnation, not the name (M3). Throws
   * `LimitExceededError` when there are too many already.
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
   * Ends a watch, and answers whether it was still on. With `flush` a `Down` that already waits in the mailbox is dropped,
   * and the answer is false as well then (M2).
   */
  demonitor(ref: Ref, options: { flush?: boolean } = {}): boolean {
    if (serverOf(this).isFenced) return false;
    const wasOn = demonitor(serverOf(this), ref);
    if (!wasOn && options.flush === true) serverOf(this).forgetMessage(ref, (message) => message instanceof Down);
    return wasOn;
  }

  /**
   * Relations this process and another to one fate (L1): when one ends abnormally, so does the other, unless it traps exits.
   * Linking to a process that is gone is an exit signal `'noproc'` (L2).
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
    const pid = destination instanceof Pid ? destination : undefined;
    serverOf(this).deliver(INFO_ENVELOPE, new Exit(pid, 'noproc'));
  }

  /** Removes a link. */
  unlink(destination: Destination): void {
    const { runtime, isFenced } = serverOf(this);
    const other = isFenced ? undefined : resolveProcess(runtime, destination);
    if (other !== undefined) unlink(serverOf(this), other);
  }

  /**
   * Starts a server linked to this process, which becomes its parent: when this process ends, the child ends too. Rejects
   * with `StartError` or `AlreadyStartedError`; a failed start also ends this process unless it traps exits (I3).
   */
  async startLink(server: unknown, options: StartOptions = {}): Promise<Pid> {
    const { runtime, isFenced } = serverOf(this);
    if (isFenced) throw new NoProcessError(this.pid.toString());
    return start(runtime, runtime.servers.find(server) as ServerBlueprint, options, { parent: serverOf(this) });
  }

  /**
   * Runs `work` outside of the mailbox, in a task of its own: the process goes on with its messages meanwhile. Not linked, but
   * stopped when this process ends. Without anybody who waits for it by then, the result comes as `TaskResult` and `Down`; a failure
   * comes as `Down` with what was thrown, and never as an unhandled rejection (K15).
   *
   * The answer to a call may be left to it: `void this.self.task(…).then(from.reply, from.replyError)`.
   */
  task<T>(work: TaskFunction<T>): Task<T> {
    return startTask(serverOf(this).runtime, work, { owner: serverOf(this), endsWithOwner: true });
  }

  /**
   * Lets this process get what is broadcast on `topic`, as plain messages (B1). The topic is compared as it is: there are no
   * wildcards. Subscribing twice delivers twice. A restarted process subscribes again, best in `init` (B3).
   *
   * @param options.metadata  What a dispatcher of the application's own may read (B4). Default: undefined.
   */
  subscribe(topic: string, options: { readonly metadata?: unknown } = {}): void {
    serverOf(this).runtime.topics.subscribe(this, topic, options);
  }

  /** Ends all subscriptions of this process to `topic`. What lies in the mailbox already stays there. */
  unsubscribe(topic: string): void {
    serverOf(this).runtime.topics.unsubscribe(this, topic);
  }

  /** Sends `message` to everybody who subscribed to `topic`, this process included (B2). */
  broadcast(topic: string, message: unknown): void {
    if (!serverOf(this).isFenced) serverOf(this).runtime.topics.broadcast(topic, message);
  }

  /** Ends this process with `reason` after `terminate`. Nothing after it runs, and no `catch` can undo it. */
  exit(reason: ExitReason): never;
  /** Sends an exit signal to another process. `'kill'` cannot be trapped and skips `terminate` (E6). */
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

/** The `self` of a process, made on first use. */
export function selfOf(server: GenServerProcess): Self {
  return (server.handle ??= new Self(server)) as Self;
}
markAsHandle(Self.prototype);

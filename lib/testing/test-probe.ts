import type { Behaviour } from '../gen-server/behaviour.js';
import { blueprintOfBehaviour } from '../gen-server/behaviour.js';
import { noReply, ok } from '../gen-server/results/callback-result.js';
import { DESTINATION, type Destination, formatDestination, whereis } from '../gen-server/client/destination.js';
import type { Self } from '../gen-server/self.js';
import { start } from '../gen-server/client/start.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { GenServerRuntime } from '../nest/gen-server-runtime.js';
import { markAsHandle } from '../runtime/isolation/handle.js';
import { formatReason } from '../runtime/exits/exit-reason.js';
import { assertDurationMs } from '../runtime/errors.js';
import { Down } from '../runtime/exits/messages.js';
import { Pid, Ref } from '../runtime/pid.js';
import { processOf } from '../runtime/process.js';
import { print } from '../runtime/secrets/print.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import { ProbeError } from './errors.js';
import { ManualClock } from './manual-clock.js';
import { describeMatcher, type Matcher, matches, type MessageClass } from './matching.js';
import { settle } from './settle.js';
import { isInstanceOf } from '../runtime/secrets/inspect-safely.js';

/** Where a probe lives: a test world, or the world of an application, by its `GenServerRuntime`. @publicApi */
export type ProbeWorld = { readonly runtime: Runtime } | GenServerRuntime;

/** @publicApi */
export interface TestProbeOptions {
  /** What it is found by, so that a server that sends to that name sends to the probe. Default: none. */
  readonly name?: ServerName;
  /** Whether exit signals of others become `Exit` messages, so that the probe survives what it is linked to. Default: true. */
  readonly trapExit?: boolean;
}

/** @publicApi */
export interface WaitOptions {
  /**
   * How long to wait, in milliseconds of the world's clock. On a `ManualClock` this lets the time pass; default: 0, what comes
   * without time passing. On the clock of the Node process it is real; default: 1 000 for what is expected, 100 for what is not.
   */
  readonly withinMs?: number;
}

/** What the process behind a probe has received. */
interface Inbox {
  readonly held: unknown[];
  onArrival?: (() => void) | undefined;
}

const REAL_TIME_MS = { expected: 1_000, unexpected: 100 } as const;

/**
 * A process that stands for the other side in a test: the watcher, the owner of a link, the parent, the subscriber. It does nothing
 * but keep the messages it gets, until an expectation takes them out.
 *
 * Nothing sleeps: each expectation first lets everything run that can run without time passing, see `settle`. What does not come as
 * expected rejects with {@link ProbeError}, which says what came instead.
 *
 * @publicApi
 */
export class TestProbe {
  /** What the probe does as a process: `monitor`, `link`, `send`, `subscribe`, `startLink`, which makes it a parent. */
  readonly self: Self;
  readonly pid: Pid;
  private readonly held: unknown[];
  private readonly watched = new Set<Pid>();

  private constructor(
    private readonly runtime: Runtime,
    self: Self,
    private readonly inbox: Inbox,
  ) {
    this.self = self;
    this.pid = self.pid;
    this.held = inbox.held;
  }

  /** Starts a probe, linked to no process. It ends with its world. */
  static async start(world: ProbeWorld, { name, trapExit = true }: TestProbeOptions = {}): Promise<TestProbe> {
    const { runtime } = world instanceof GenServerRuntime ? GenServerRuntime.worldOf(world) : world;
    const inbox: Inbox = { held: [] };
    let self!: Self;
    const behaviour: Behaviour = {
      label: 'TestProbe',
      init: (_args, ofProbe) => {
        self = ofProbe;
        return ok(null);
      },
      handleInfo: (message) => {
        inbox.held.push(message);
        inbox.onArrival?.();
        return noReply();
      },
    };
    const options: StartOptions = { name, trapExit };
    await start(runtime, blueprintOfBehaviour(behaviour), options);
    return new TestProbe(runtime, self, inbox);
  }

  /** A probe is a destination wherever one is taken. */
  get [DESTINATION](): Destination {
    return this.pid;
  }

  /** What the probe holds now, the oldest first. It does not wait: await an expectation or `settle()` before. */
  get messages(): readonly unknown[] {
    return [...this.held];
  }

  /** Lets everything run that can, and takes all messages out of the probe, the oldest first. */
  async takeMessages(): Promise<unknown[]> {
    await settle();
    return this.held.splice(0);
  }

  /** Asks for a `Down` when that process ends; see {@link expectDown}. */
  monitor(destination: Destination): Ref {
    const pid = whereis(this.runtime, destination);
    if (pid !== undefined) this.watched.add(pid);
    return this.self.monitor(destination);
  }

  /** Sends a plain message as the probe. */
  send(destination: Destination, message: unknown): void {
    this.self.send(destination, message);
  }

  /**
   * Waits for a message, takes the oldest that fits out of the probe, and gives it. What does not fit stays. Without a matcher any
   * message fits. See {@link Matcher} for what fits.
   */
  expectMessage(): Promise<unknown>;
  expectMessage<M>(expected: MessageClass<M>, options?: WaitOptions): Promise<M>;
  expectMessage<M>(expected: (message: M) => boolean, options?: WaitOptions): Promise<M>;
  expectMessage<M>(expected: M, options?: WaitOptions): Promise<M>;
  async expectMessage(...given: [expected?: Matcher, options?: WaitOptions]): Promise<unknown> {
    const [expected, options] = given;
    const fits = given.length === 0 ? () => true : (message: unknown) => matches(expected, message);
    const what = given.length === 0 ? 'a message' : describeMatcher(expected);
    const { index, waitedMs } = await this.wait(() => this.held.findIndex(fits), options);
    if (index === -1) throw this.failure(`expected ${what} ${this.within(waitedMs)}, and it did not come.`, true);
    return this.held.splice(index, 1)[0];
  }

  /**
   * Makes sure that no message is there and none comes; with `matching`, none that fits. Takes nothing out of the probe. With
   * `withinMs` on a manual clock all of that time passes.
   */
  async expectNoMessage(options: WaitOptions & { readonly matching?: Matcher } = {}): Promise<void> {
    const isAny = !('matching' in options);
    const fits = isAny ? () => true : (message: unknown) => matches(options.matching, message);
    const { index, waitedMs } = await this.wait(() => this.held.findIndex(fits), options, 'unexpected');
    if (index === -1) return;
    const what = isAny ? 'no message' : `no message that is ${describeMatcher(options.matching)}`;
    throw this.failure(`expected ${what} ${this.within(waitedMs)}, and there is ${print(this.held[index], 3)}.`);
  }

  /**
   * Waits for the `Down` of a process, takes it out of the probe, and gives it. The process is given as it was monitored, as its
   * pid, or by what `monitor` gave. One that the probe does not watch yet is watched from now on: when it is gone already, its
   * reason is `'noproc'`.
   *
   * @param reason  What it ended with, as a {@link Matcher}. Left out or undefined: anything.
   */
  async expectDown(target: Destination | Ref, reason?: unknown, options?: WaitOptions): Promise<Down> {
    const isAbout = (message: unknown): message is Down =>
      isInstanceOf(message, Down) && (message.ref === target || message.object === target || message.pid === target);
    const pid = target instanceof Ref ? undefined : whereis(this.runtime, target);
    const isLate = !(target instanceof Ref) && !this.held.some(isAbout) && !this.isWatching(pid ?? target);
    if (isLate) this.monitor(target);
    const { index, waitedMs } = await this.wait(() => this.held.findIndex(isAbout), options);
    const who = target instanceof Ref ? target.toString() : formatDestination(target);
    if (index === -1) throw this.failure(`expected ${who} to end ${this.within(waitedMs)}, and it did not.`, true);
    const down = this.held[index] as Down;
    if (reason !== undefined && !matches(reason, down.reason)) {
      const hint =
        isLate && down.reason === 'noproc' ? ' It was gone before: call probe.monitor() while it lives.' : '';
      throw this.failure(
        `expected ${who} to end with ${describeMatcher(reason)}, and it ended with ${formatReason(down.reason)}.${hint}`,
      );
    }
    this.held.splice(index, 1);
    return down;
  }

  private isWatching(target: unknown): boolean {
    return target instanceof Pid && this.watched.has(target);
  }

  /** Waits until `find` finds something, or the time is over: what it found, or -1. */
  private async wait(
    find: () => number,
    { withinMs }: WaitOptions = {},
    kind: 'expected' | 'unexpected' = 'expected',
  ): Promise<{ index: number; waitedMs: number }> {
    if (withinMs !== undefined) assertDurationMs(withinMs, 'withinMs of a TestProbe', false);
    const { clock } = this.runtime;
    await settle();
    let index = find();
    if (!(clock instanceof ManualClock)) {
      const waitedMs = withinMs ?? REAL_TIME_MS[kind];
      if (index === -1) index = await this.waitInRealTime(find, waitedMs);
      return { index, waitedMs };
    }
    const waitedMs = withinMs ?? 0;
    for (const until = clock.now() + waitedMs; index === -1 && clock.now() < until; index = find()) {
      await clock.advanceToNextTimer(until - clock.now());
    }
    return { index, waitedMs };
  }

  private waitInRealTime(find: () => number, withinMs: number): Promise<number> {
    return new Promise((resolve) => {
      const finish = (index: number): void => {
        this.inbox.onArrival = undefined;
        timer.cancel();
        resolve(index);
      };
      const timer = this.runtime.clock.setTimer(withinMs, () => finish(find()));
      this.inbox.onArrival = () => {
        const index = find();
        if (index !== -1) finish(index);
      };
    });
  }

  private within(ms: number): string {
    const { clock } = this.runtime;
    if (!(clock instanceof ManualClock)) return `within ${ms} ms`;
    return ms === 0 ? 'without time passing' : `within ${ms} ms of the manual clock`;
  }

  private failure(problem: string, didNotCome = false): ProbeError {
    const { clock } = this.runtime;
    const hints = [
      ...(processOf(this.pid) === undefined ? ['The probe itself has ended.'] : []),
      ...(didNotCome && clock instanceof ManualClock && clock.pendingTimers > 0
        ? ['Timers are pending on the manual clock: withinMs lets time pass.']
        : []),
    ];
    const list = this.held.map((message, at) => `\n  ${at + 1}. ${print(message, 3)}`).join('');
    const holds = this.held.length === 0 ? 'It holds no messages.' : `It holds, the oldest first:${list}`;
    return new ProbeError(`TestProbe ${this.pid.toString()} ${[problem, ...hints, holds].join(' ')}`, this.messages);
  }
}

markAsHandle(TestProbe.prototype);

import { isolatedCopy } from '../../runtime/isolation/isolated-copy.js';
import { markAsHandle } from '../../runtime/isolation/handle.js';
import { Settlement } from '../../runtime/time/settlement.js';
import { assertDurationMs, InvalidArgumentError } from '../../runtime/errors.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Pid } from '../../runtime/pid.js';
import type { ProcessStatus } from '../../runtime/process.js';
import { print } from '../../runtime/secrets/print.js';
import { formatName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { DEFAULT_CALL_TIMEOUT_MS, getServer } from './client.js';
import { changeCode } from '../process/code-change.js';
import { resumeFromSuspension, startDebugging, type Statistics, stopDebugging } from '../process/debugging.js';
import type { Destination } from './destination.js';
import { CallingSelfError, CallTimeoutError, CodeChangeError, ServerExitedError } from '../errors.js';
import type { GenServerProcess } from '../process/gen-server-process.js';
import { SystemRequest } from '../process/system-request.js';
import { isThenable } from '../results/thenable.js';
import type { Trace, TraceEntry } from '../process/trace.js';

/**
 * The options of every method of {@link Sys}.
 *
 * @publicApi
 */
export interface SysOptions {
  /** How long to wait for the answer, in milliseconds, time in the queue included. `Infinity` waits for ever. Default: 5 000. */
  readonly timeoutMs?: number;
}

/**
 * The options of {@link Sys.trace}.
 *
 * @publicApi
 */
export interface TraceOptions extends SysOptions {
  /** How many entries the trace keeps, an integer of 1 or more; older entries are dropped. Default: 100. */
  readonly limit?: number;
}

/**
 * The options of {@link Sys.changeCode}.
 *
 * @publicApi
 */
export interface CodeChangeOptions extends SysOptions {
  /** The version of the code that made the state. Default: the `version` of the server. */
  readonly oldVersion?: string | number;
}

/**
 * The status of one server.
 *
 * @publicApi
 */
export interface ServerStatus {
  readonly pid: Pid;
  readonly label: string;
  /** The name it is registered under, as printed; null if it has none. */
  readonly name: string | null;
  readonly status: 'suspended' | Exclude<ProcessStatus, 'dead'>;
  /** The process that started it with a link; null if there is none. */
  readonly parent: Pid | null;
  /** The number of waiting messages, including those that a suspended server holds back. */
  readonly queueLength: number;
  /** The version of the code; null if the server declares none. */
  readonly version: string | number | null;
  /** Whether statistics are on, and the `limit` of the trace; null if it is off. */
  readonly debug: { readonly statistics: boolean; readonly trace: number | null };
  /** The state as `formatStatus` shows it. */
  readonly state: unknown;
}

/** The answer of {@link Sys.statistics} to each flag. */
export interface StatisticsAnswers {
  readonly on: void;
  readonly off: void;
  readonly get: Statistics | 'no_statistics';
}

/** The answer of {@link Sys.trace} to each flag. */
export interface TraceAnswers {
  readonly on: Trace;
  readonly off: void;
  readonly get: readonly TraceEntry[];
}

const DEFAULT_TRACE_LIMIT = 100;

/** A pending request of `sys`. It settles once. Like any call, it is served even if its caller has timed out. */
class SysRequest extends SystemRequest {
  private readonly settlement: Settlement<unknown>;

  constructor(
    private readonly server: GenServerProcess,
    private readonly what: string,
    timeoutMs: number,
    private readonly work: (server: GenServerProcess, request: SysRequest) => void,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.settlement = new Settlement(
      resolve,
      reject,
      () => new CallTimeoutError(server.label, this.describe(), timeoutMs, 'waiting', server.queueLength),
    );
    server.runtime.deadlines.add(this.settlement, timeoutMs);
  }

  perform(server: GenServerProcess): void {
    try {
      this.work(server, this);
    } catch (error) {
      this.refuse(error);
    }
  }

  answer(value: unknown): void {
    this.settlement.settle(value);
  }

  refuse(error: unknown): void {
    this.settlement.refuse(error);
  }

  override serverExited(reason: ExitReason): void {
    const { label, runtime } = this.server;
    const told = runtime.redaction.reason(reason);
    this.settlement.refuseWith(() => new ServerExitedError(label, this.describe(), told, undefined));
  }

  private describe(): { handler: string; args: readonly unknown[] } {
    return { handler: `sys.${this.what}`, args: [] };
  }
}

/**
 * Inspects and controls running servers, like OTP's `sys`. Requests go through the mailbox, so a request is served after the messages that
 * were sent before it (P2). It neither cancels a pending timeout nor counts as a message (T4).
 *
 * Every method rejects with `NoProcessError` if there is no such server, `CallingSelfError` if a server asks about itself,
 * `CallTimeoutError` if the answer takes longer than `timeoutMs`, and `ServerExitedError` if the server ends first. After a
 * `CallTimeoutError` the server still serves the request.
 *
 * @publicApi
 */
export class Sys {
  constructor(private readonly runtime: Runtime) {}

  /** Resolves to the state: the live one, or a copy if the server has `isolation: 'clone'` (Y1). */
  getState<S = unknown>(destination: Destination, options?: SysOptions): Promise<S> {
    return this.ask(destination, 'getState', options, (server) => copyIfIsolated(server, server.state)) as Promise<S>;
  }

  /**
   * Replaces the state by what `replace` returns for it, between two messages, and resolves to the new state (Y1). `replace` must not be
   * async. If it throws, the state is unchanged, the server goes on, and the promise rejects with the thrown value.
   */
  replaceState<S = unknown>(destination: Destination, replace: (state: S) => S, options?: SysOptions): Promise<S> {
    return this.ask(destination, 'replaceState', options, (server) => {
      const state: unknown = replace(server.state as S);
      if (isThenable(state)) {
        throw new InvalidArgumentError('sys.replaceState: a promise is no state. The function must not be async.');
      }
      const answer = copyIfIsolated(server, state);
      server.state = state;
      return answer;
    }) as Promise<S>;
  }

  /**
   * Suspends a server: messages wait, in order, until it is resumed, and calls among them may time out. Requests of `sys`, `stop`, the
   * shutdown by its supervisor and kill still work (Y2). Timeouts, including `idleMs`, start again when it is resumed. Suspending twice is
   * harmless.
   */
  async suspend(destination: Destination, options?: SysOptions): Promise<void> {
    await this.ask(destination, 'suspend', options, (server) => {
      startDebugging(server).isSuspended = true;
    });
  }

  /** Resumes a suspended server, which then handles the waiting messages in order (Y2). Harmless if it is not suspended. */
  async resume(destination: Destination, options?: SysOptions): Promise<void> {
    await this.ask(destination, 'resume', options, (server) => resumeFromSuspension(server));
  }

  /**
   * Controls the statistics of a server (Y3). `'on'` begins to count messages, from zero if it was on already; `'off'` ends that; `'get'`
   * resolves to the counts, or to `'no_statistics'` if they are off.
   */
  statistics<F extends keyof StatisticsAnswers>(
    destination: Destination,
    flag: F,
    options?: SysOptions,
  ): Promise<StatisticsAnswers[F]> {
    return this.ask(destination, 'statistics', options, (server): unknown => {
      assertFlag('statistics', flag);
      if (flag === 'get') return server.debugging?.readStatistics() ?? 'no_statistics';
      if (flag === 'on') startDebugging(server).startStatistics();
      else server.debugging?.stopStatistics();
      stopDebugging(server);
      return undefined;
    }) as Promise<StatisticsAnswers[F]>;
  }

  /**
   * Controls the trace of a server, which keeps its latest activity: messages in, answers out, changes of the state, the exit (Y4). `'on'`
   * begins a new trace and resolves to the {@link Trace}, which can be read at any time, even after the server has ended. `'get'` resolves
   * to its entries, or to an empty array if it is off. `'off'` clears it. Entries contain only what redaction allows (`redact`,
   * `@Redact()`), and keep the values that they contain from being garbage-collected.
   */
  trace<F extends keyof TraceAnswers>(
    destination: Destination,
    flag: F,
    options: TraceOptions = {},
  ): Promise<TraceAnswers[F]> {
    const { limit = DEFAULT_TRACE_LIMIT } = options;
    return this.ask(destination, 'trace', options, (server): unknown => {
      assertFlag('trace', flag);
      if (flag === 'get') return server.debugging?.trace?.entries() ?? [];
      if (flag === 'on') {
        if (!Number.isInteger(limit) || limit < 1) {
          throw new InvalidArgumentError(`limit of sys.trace must be an integer, 1 or more, got: ${print(limit)}`);
        }
        return startDebugging(server).startTrace(limit);
      }
      server.debugging?.stopTrace();
      stopDebugging(server);
      return undefined;
    }) as Promise<TraceAnswers[F]>;
  }

  /** Turns statistics and trace off and clears them (Y4). A suspended server stays suspended. */
  async noDebug(destination: Destination, options?: SysOptions): Promise<void> {
    await this.ask(destination, 'noDebug', options, (server) => {
      server.debugging?.stopTrace();
      server.debugging?.stopStatistics();
      stopDebugging(server);
    });
  }

  /** Resolves to the status of a server, with the state as `formatStatus` shows it (Y5). */
  getStatus(destination: Destination, options?: SysOptions): Promise<ServerStatus> {
    return this.ask(destination, 'getStatus', options, statusOf) as Promise<ServerStatus>;
  }

  /**
   * Replaces the state of a **suspended** server by what its `codeChange(oldVersion, state, extra)` returns (Y6).
   *
   * @throws {CodeChangeError} The server is not suspended, or `codeChange` failed. The old state is kept, and the server goes on.
   * @throws {UndefinedCallbackError} The server has no `codeChange`. The old state is kept.
   */
  async changeCode(destination: Destination, extra?: unknown, options: CodeChangeOptions = {}): Promise<void> {
    await this.request(destination, 'changeCode', options, (server, request) => {
      if (!server.isSuspended) throw new CodeChangeError(server.label, 'not_suspended', undefined);
      const oldVersion = options.oldVersion ?? server.definition.version;
      changeCode(server, request, { oldVersion, extra }, (error) => {
        if (error === undefined) request.answer(undefined);
        else request.refuse(error);
      });
    });
  }

  private ask(
    destination: Destination,
    what: string,
    options: SysOptions | undefined,
    work: (server: GenServerProcess) => unknown,
  ): Promise<unknown> {
    return this.request(destination, what, options, (server, request) => request.answer(work(server)));
  }

  private request(
    destination: Destination,
    what: string,
    { timeoutMs = DEFAULT_CALL_TIMEOUT_MS }: SysOptions = {},
    work: (server: GenServerProcess, request: SysRequest) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      assertDurationMs(timeoutMs, `timeoutMs of sys.${what}`, true);
      const server = getServer(this.runtime, destination);
      if (this.runtime.current === server || this.runtime.tracking?.current?.process === server) {
        throw new CallingSelfError(server.label, `call sys.${what} of`);
      }
      server.deliver(new SysRequest(server, what, timeoutMs, work, resolve, reject), undefined);
    });
  }
}

markAsHandle(Sys.prototype);

/** {@link Sys} in the form of the core, where each function takes the world. */
export const sys = {
  getState: <S = unknown>(runtime: Runtime, destination: Destination, options?: SysOptions): Promise<S> =>
    new Sys(runtime).getState<S>(destination, options),
  replaceState: <S = unknown>(
    runtime: Runtime,
    destination: Destination,
    replace: (state: S) => S,
    options?: SysOptions,
  ): Promise<S> => new Sys(runtime).replaceState(destination, replace, options),
  suspend: (runtime: Runtime, destination: Destination, options?: SysOptions): Promise<void> =>
    new Sys(runtime).suspend(destination, options),
  resume: (runtime: Runtime, destination: Destination, options?: SysOptions): Promise<void> =>
    new Sys(runtime).resume(destination, options),
  statistics: <F extends keyof StatisticsAnswers>(
    runtime: Runtime,
    destination: Destination,
    flag: F,
    options?: SysOptions,
  ): Promise<StatisticsAnswers[F]> => new Sys(runtime).statistics(destination, flag, options),
  trace: <F extends keyof TraceAnswers>(
    runtime: Runtime,
    destination: Destination,
    flag: F,
    options?: TraceOptions,
  ): Promise<TraceAnswers[F]> => new Sys(runtime).trace(destination, flag, options),
  noDebug: (runtime: Runtime, destination: Destination, options?: SysOptions): Promise<void> =>
    new Sys(runtime).noDebug(destination, options),
  getStatus: (runtime: Runtime, destination: Destination, options?: SysOptions): Promise<ServerStatus> =>
    new Sys(runtime).getStatus(destination, options),
  changeCode: (
    runtime: Runtime,
    destination: Destination,
    extra?: unknown,
    options?: CodeChangeOptions,
  ): Promise<void> => new Sys(runtime).changeCode(destination, extra, options),
} as const;

function statusOf(server: GenServerProcess): ServerStatus {
  const { pid, label, registeredName, parent, queueLength, definition, debugging } = server;
  return {
    pid,
    label,
    name: registeredName === undefined ? null : formatName(registeredName),
    status: server.isSuspended ? 'suspended' : (server.status as ServerStatus['status']),
    parent: parent === null ? null : parent.pid,
    queueLength,
    version: definition.version ?? null,
    debug: {
      statistics: debugging?.readStatistics() !== undefined,
      trace: debugging?.trace?.limit ?? null,
    },
    state: server.visibleState(),
  };
}

function copyIfIsolated(server: GenServerProcess, state: unknown): unknown {
  return server.clonesMessages ? isolatedCopy(state) : state;
}

function assertFlag(method: string, flag: string): void {
  if (flag === 'on' || flag === 'off' || flag === 'get') return;
  throw new InvalidArgumentError(`sys.${method} takes 'on', 'off' or 'get', got: ${print(flag)}`);
}

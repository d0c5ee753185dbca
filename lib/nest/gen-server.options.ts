import type { Type } from '@nestjs/common';
import type { InitArguments } from '../gen-server/definition/start-options.js';
import type { StrayOrigin } from '../gen-server/stray-errors.js';
import type { MaxMailbox } from '../runtime/mailbox/bounded-mailbox.js';
import type { ProcessLimits } from '../runtime/limits.js';
import type { Clock, NameService } from '../runtime/ports.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Shutdown } from '../supervision/child-spec.js';
import type { DynamicSupervisorOptions } from '../supervision/dynamic-child-spec.js';
import type { Restart } from '../supervision/restart-policy.js';
import type { SupervisorOptions } from '../supervision/supervisor-options.js';

/**
 * What `@GenServer()` and `provideGenServer()` take.
 *
 * @publicApi
 */
export interface GenServerOptions {
  /** The name that the process is registered under, unique in the application. Default: the class. */
  readonly name?: ServerName;
  /** The arguments of `init`: evaluated once and reused by every incarnation (S23), or a function that creates them anew. Default: none. */
  readonly args?: InitArguments;
  /** When it is restarted. Default: `'permanent'`. */
  readonly restart?: Restart;
  /** How long it may take to end when it is stopped, in milliseconds, `Infinity` or `'brutal_kill'`. Default: 5 000. */
  readonly shutdownMs?: Shutdown;
  /** How long callers wait for an answer, in milliseconds, unless the handler or the call says otherwise. Default: 5 000. */
  readonly callTimeoutMs?: number;
  /** How long creating the instance and `init` may take, in milliseconds. Default: Infinity. */
  readonly startTimeoutMs?: number;
  /** Turns exit signals from processes other than the parent into `Exit` messages. Default: false. */
  readonly trapExit?: boolean;
  /** Whether it finishes its queue and runs `terminate` when its supervisor stops it. Default: true; false is OTP's instant death. */
  readonly drain?: boolean;
  /** `'clone'` copies arguments and replies; pids, refs, clients and other handles in them stay themselves. Default: `'none'`. */
  readonly isolation?: 'none' | 'clone';
  /**
   * `'on_demand'`: no process until one is requested, and then one per key, under a dynamic supervisor that is injected with
   * `@InjectDynamicSupervisor`. Its children are `'transient'` by default. Default: `'with_application'`.
   */
  readonly start?: 'with_application' | 'on_demand';
  /**
   * Ends a process with reason `{ shutdown: 'idle' }` when its mailbox has been empty for this many milliseconds, no caller waits for
   * an answer, none of its tasks runs and none of its streams is being read. Not with `restart: 'permanent'`, which would restart it at
   * once. Default: Infinity.
   */
  readonly idleMs?: number;
  /**
   * How many calls, casts and sent messages may wait, and what happens to further ones: `'reject'` refuses the one that arrives,
   * `'drop_newest'` and `'drop_oldest'` make room for it. A call that is refused or dropped rejects with `OverloadedError`.
   * System messages always fit. Default: any number.
   */
  readonly maxMailbox?: MaxMailbox;
  /** The version of the code, which `sys.changeCode` passes to `codeChange`. Default: none. */
  readonly version?: string | number;
  /** The dynamic supervisor of a server that is started on demand. */
  readonly supervisor?: DynamicSupervisorOptions;
}

/** What happens when the application's supervision tree has given up. */
export type OnTreeExit = 'shutdown' | 'keep' | ((reason: unknown) => void | Promise<void>);

/**
 * What `GenServerModule.forRoot()` takes.
 *
 * @publicApi
 */
export interface GenServerModuleOptions {
  /** The application supervisor, above the modules' supervisors. Default: one_for_one, 3 restarts in 5 000 ms. */
  readonly supervisor?: SupervisorOptions | undefined;
  /**
   * Errors of these classes, thrown by a call handler, are answers and not crashes. Default: `HttpException`, `RpcException`
   * and `WsException`; `[]` is pure OTP.
   */
  readonly replyErrors?: readonly Type<Error>[] | undefined;
  /**
   * What happens when the tree has given up. `'shutdown'` ends the Node process with exit code 1, after Nest's hooks, whether the
   * application enabled them or not, and after 30 s without them; `'keep'` leaves it running without servers. Default: `'shutdown'`.
   */
  readonly onTreeExit?: OnTreeExit | undefined;
  /** Where `{ global }` names are kept. Default: a table of this Node process. */
  readonly globalNames?: NameService | undefined;
  /** How much one process may use: the length of names, monitors, unanswered calls. Default: see `ProcessLimits`. */
  readonly limits?: Partial<ProcessLimits> | undefined;
  /**
   * Further secret names of fields and keys besides the usual ones (password, secret, token, apiKey, authorization, cookie and the
   * like): a string matches the name in any spelling, an expression is tested against the name as it is. Their values are shown in no log,
   * event, trace, status or error. Default: none.
   */
  readonly redact?: readonly (string | RegExp)[] | undefined;
  /**
   * Whether logs, events, traces, status and errors show the values of states, messages, arguments and answers, or only their shape.
   * The result of `formatStatus` is always shown. Default: true unless `NODE_ENV` is `production`.
   */
  readonly showValues?: boolean | undefined;
  /** Default: the clock of the Node process. */
  readonly clock?: Clock | undefined;
  /**
   * Whether a server's calls to itself are detected after an `await` as well, and reject at once, and whether circles of calls are, and
   * reject when no server in them has moved for half of the timeout, one second at most. Default: true from Node 24 on, or with
   * `attributeRejections` or `attributeExceptions`; before Node 24, it slows down every promise of the application.
   */
  readonly tracking?: boolean | undefined;
  /**
   * Whether a rejected promise that is not awaited crashes the server that left it behind, rather than Node. Installs a listener for
   * `unhandledRejection` while the servers run; rejections that belong to no live server are handled as before. Default: false.
   */
  readonly attributeRejections?: boolean | undefined;
  /**
   * Whether an error thrown by a timer or other callback crashes the server that left it behind, rather than Node. Installs a listener for
   * `uncaughtException` while the servers run. Node advises to exit instead, since the code that called the callback was interrupted:
   * only for callbacks of your own. Before Node 24, callbacks of `queueMicrotask` cannot be attributed. Default: false.
   */
  readonly attributeExceptions?: boolean | undefined;
}

/** The kinds of failures that these options attribute to servers. */
export function attributedOrigins(options: GenServerModuleOptions): readonly StrayOrigin[] {
  const origins: StrayOrigin[] = [];
  if (options.attributeRejections === true) origins.push('unhandledRejection');
  if (options.attributeExceptions === true) origins.push('uncaughtException');
  return origins;
}

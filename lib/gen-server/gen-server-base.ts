import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { CastResult, CodeChangeResult, InitResult } from './results/callback-result.js';
import type { From, NoPromise } from './process/from.js';
import type { GenServerProcess } from './process/gen-server-process.js';
import { ATTACH } from './definition/server-instance.js';
import { type Self, selfOf } from './self.js';

/** Relations an instance to its process. Private to the language, so that it collides with nothing a user may declare. */
let findProcess: (instance: GenServerBase<unknown>) => GenServerProcess;

type MaybePromise<T> = T | Promise<T>;

/** What a server class may define besides its handlers. All of it is optional. */
export interface GenServerBase<S> {
  /**
   * Makes the first state. Runs in the new process, with the arguments it was started with, while whoever started it waits.
   * Absent: the first argument is the state (I12).
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every server has its own arguments
  init?(...args: any[]): MaybePromise<InitResult<S>>;

  /**
   * Last words. Runs when a handler stopped, threw, exited or returned no result, when the process is stopped, and when its
   * supervisor shuts it down (E2); not when it is killed. `this.state` is the last state that a handler returned (R4). What
   * it returns is ignored; when it throws, that becomes the exit reason (E8).
   */
  terminate?(reason: ExitReason): MaybePromise<void>;

  /**
   * Makes the state for new code out of one of `oldVersion`, when `sys.changeCode` asks for it; never by itself (Y6). Returns
   * `ok(state)`, or `error(reason)` to keep the old one, as throwing does too. Absent: `sys.changeCode` is refused.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an old state has a type that only the user knows
  codeChange?(oldVersion: any, state: any, extra: any): MaybePromise<CodeChangeResult<S>>;

  /**
   * The configuration of the application was changed, and `runtime.configChange` was told so (AP5). It comes through the mailbox
   * and answers as an info handler does. What did not change is not in any of the three. Must be a method of the class.
   */
  onConfigChange?(
    changed: Readonly<Record<string, unknown>>,
    added: Readonly<Record<string, unknown>>,
    removed: readonly string[],
  ): MaybePromise<CastResult<S>>;

  /** What logs and inspection may show of the state. Absent: the state itself. */
  formatStatus?(state: S): unknown;
}

/**
 * The base of every server class. `S` is the type of its state.
 *
 * @publicApi
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- optional members that must not exist at run time
export abstract class GenServerBase<S> {
  #process: GenServerProcess | undefined = undefined;

  static {
    findProcess = (instance) => {
      if (instance.#process !== undefined) return instance.#process;
      throw new TypeError(
        `${instance.constructor.name} has no process yet: state, self and from are there from init on, not in the ` +
          'constructor. Nor does an instance made with new or injected by Nest have one; inject a client with @InjectGenServer.',
      );
    };
  }

  /** @internal */
  protected [ATTACH](process: GenServerProcess): void {
    this.#process = process;
  }

  /** The state. Changed only by what `init` and the handlers return. */
  protected get state(): S {
    return findProcess(this).state as S;
  }

  /** The caller of the request in hand, to be answered later. Only in a call handler. */
  protected from<R = NoPromise>(): From<R> {
    return findProcess(this).from() as From<R>;
  }

  /** What a process can do as itself: send, monitor, link, set timers, exit. */
  protected get self(): Self {
    return selfOf(findProcess(this));
  }
}

/** The process that runs an instance. @internal */
export function processOf(instance: GenServerBase<unknown>): GenServerProcess {
  return findProcess(instance);
}

import type { ExitReason } from '../runtime/exits/exit-reason.js';
import { keepShape } from '../runtime/keep-shape.js';
import type { CastResult, CodeChangeResult, InitResult } from './results/callback-result.js';
import type { From, NoPromise } from './process/from.js';
import type { GenServerProcess } from './process/gen-server-process.js';
import { ATTACH, DETACH } from './definition/server-instance.js';
import { type Self, selfOf } from './self.js';

/**
 * What an instance refers to after the end of its process, which has given up the state. Abandoned handlers, and callbacks of sockets
 * and timers, may still read `this.state` to clean up.
 */
class Remains {
  constructor(
    readonly process: GenServerProcess,
    readonly state: unknown,
  ) {}
}

keepShape(new Remains(null as never, undefined));

/** Reads a private field of the language, which cannot collide with a member of a subclass. */
let findAttached: (instance: GenServerBase<unknown>) => GenServerProcess | Remains;

type MaybePromise<T> = T | Promise<T>;

/** The optional callbacks of a server class, besides its handlers. */
export interface GenServerBase<S> {
  /**
   * Returns the first state. Runs in the new process, with the `args` of the start, while the caller of the start waits. If it is absent,
   * the first argument is the state (I12). If it throws, the start fails and the process ends with that reason.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every server has its own arguments
  init?(...args: any[]): MaybePromise<InitResult<S>>;

  /**
   * Cleans up before the process ends. Runs when a handler stopped, threw, exited or returned an invalid result, when the process is
   * stopped, and when its supervisor shuts it down (E2); not when it is killed. `this.state` is the last state that a handler returned
   * (R4). The return value is ignored. If it throws, the thrown value becomes the exit reason (E8).
   */
  terminate?(reason: ExitReason): MaybePromise<void>;

  /**
   * Converts a state of `oldVersion` to the state of the new code. Runs only when `sys.changeCode` asks for it (Y6). Returns `ok(state)`,
   * or `error(reason)` to keep the old state; throwing keeps it as well. If it is absent, `sys.changeCode` is refused.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an old state has a type that only the user knows
  codeChange?(oldVersion: any, state: any, extra: any): MaybePromise<CodeChangeResult<S>>;

  /**
   * Handles a change of the application's configuration, announced by `runtime.configChange` (AP5). The change comes through the mailbox,
   * and the method returns what an info handler returns. Unchanged keys are in none of the three arguments. It must be a method of the
   * class, not a function-valued property.
   */
  onConfigChange?(
    changed: Readonly<Record<string, unknown>>,
    added: Readonly<Record<string, unknown>>,
    removed: readonly string[],
  ): MaybePromise<CastResult<S>>;

  /**
   * Returns what logs and inspection may show of the state. If it is absent, they show the state itself, as far as redaction allows. If it
   * throws, they show that it did.
   */
  formatStatus?(state: S): unknown;
}

/**
 * The base class of every server. `S` is the type of its state.
 *
 * @publicApi
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- optional members that must not exist at run time
export abstract class GenServerBase<S> {
  #attached: GenServerProcess | Remains | undefined = undefined;

  static {
    findAttached = (instance) => {
      if (instance.#attached !== undefined) return instance.#attached;
      throw new TypeError(
        `${instance.constructor.name} has no process yet: state, self and from are available from init on, not in the ` +
          'constructor. Nor does an instance made with new or injected by Nest have one; inject a client with @InjectGenServer.',
      );
    };
  }

  /** @internal */
  protected [ATTACH](process: GenServerProcess): void {
    this.#attached = process;
  }

  /** @internal */
  protected [DETACH](lastState: unknown): void {
    this.#attached = new Remains(this.#attached as GenServerProcess, lastState);
  }

  /**
   * The current state. It is replaced only by what `init` and the handlers return, and by `sys`. After the end of the process it is the
   * last state.
   */
  protected get state(): S {
    return findAttached(this).state as S;
  }

  /**
   * The caller of the current request, for an answer that comes later. Only in a call handler: anywhere else it throws a `TypeError`.
   */
  protected from<R = NoPromise>(): From<R> {
    return findProcess(this).from() as From<R>;
  }

  /** The operations that act on behalf of this process: send, monitor, link, set timers, exit. */
  protected get self(): Self {
    return selfOf(findProcess(this));
  }
}

/** The process that runs an instance. Throws a `TypeError` if there is none. @internal */
export function processOf(instance: GenServerBase<unknown>): GenServerProcess {
  return findProcess(instance);
}

function findProcess(instance: GenServerBase<unknown>): GenServerProcess {
  const attached = findAttached(instance);
  return attached instanceof Remains ? attached.process : attached;
}

import type { Process } from '../../runtime/process.js';
import type { Tracking } from '../../runtime/tracking.js';
import { isAwaitable, whenSettled } from '../results/thenable.js';

/** A process that runs lifecycle callbacks: `init`, `terminate`, `codeChange`. */
export interface CallbackServer extends Process {
  /** Runs a callback that is tracked as code of this process, even while it awaits. */
  runTracked(tracking: Tracking, run: () => unknown): unknown;
}

/** A callback that is not a message handler, and the steps that follow it. Those that every process runs are created once. */
export interface OwnCallback<S extends CallbackServer, A> {
  readonly run: (server: S, given: A) => unknown;
  readonly done: (server: S, value: unknown) => void;
  readonly failed: (server: S, thrown: unknown) => void;
}

/** Runs such a callback and then its next step with the outcome, at once or when its promise settles, unless the process is fenced. */
export function runOwnCallback<S extends CallbackServer, A>(server: S, callback: OwnCallback<S, A>, given: A): void {
  const { runtime } = server;
  let result: unknown;
  runtime.current = server;
  try {
    const { tracking } = runtime;
    result = tracking === null ? callback.run(server, given) : runTracked(server, tracking, callback, given);
  } catch (thrown) {
    runtime.current = null;
    server.activation = null;
    if (!server.isFenced) callback.failed(server, thrown);
    return;
  }
  runtime.current = null;
  if (isAwaitable(result)) {
    goOnLater(server, callback, result);
    return;
  }
  if (server.isFenced) return;
  server.activation = null;
  callback.done(server, result);
}

// A separate function, because a function that may create a closure pays for it on each call.
function runTracked<S extends CallbackServer, A>(
  server: S,
  tracking: Tracking,
  { run }: OwnCallback<S, A>,
  given: A,
): unknown {
  return server.runTracked(tracking, () => run(server, given));
}

function goOnLater<S extends CallbackServer, A>(
  server: S,
  { done, failed }: OwnCallback<S, A>,
  result: PromiseLike<unknown>,
): void {
  const goOn = (next: OwnCallback<S, A>['done'], value: unknown): void => {
    if (server.isFenced) return;
    server.activation = null;
    server.inLoop(() => next(server, value));
  };
  whenSettled(
    result,
    (value) => goOn(done, value),
    (thrown) => goOn(failed, thrown),
  );
}

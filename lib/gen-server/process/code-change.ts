import type { CallbackResult } from '../results/callback-result.js';
import { faultOf } from '../results/result-fault.js';
import type { ServerInstance } from '../definition/server-instance.js';
import { CodeChangeError, UndefinedCallbackError } from '../errors.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { type CallbackServer, runOwnCallback } from './own-callback.js';
import type { ExitMark, ProcessExtras } from './process-extras.js';
import { badReturnValue, type ReportedServer } from './process-reports.js';
import type { SystemRequest } from './system-request.js';

/** A process whose state can be converted for new code. */
export interface ChangedServer extends CallbackServer, ReportedServer {
  readonly instance: ServerInstance | null;
  readonly exitMark: ExitMark | null;
  readonly extrasInUse: ProcessExtras;
  state: unknown;
  resume(): void;
  terminate(reason: ExitReason, cause: unknown): void;
}

/** The arguments of `codeChange` besides the state. */
export interface CodeChange {
  readonly oldVersion: string | number | undefined;
  readonly extra: unknown;
}

/**
 * Replaces the state by what the user's `codeChange` returns for it. If that fails, the old state is kept (Y6). `onEnd` gets the error, or
 * undefined.
 */
export function changeCode(
  server: ChangedServer,
  request: SystemRequest,
  { oldVersion, extra }: CodeChange,
  onEnd: (error: unknown) => void,
): void {
  const { instance } = server;
  if (instance?.codeChange === undefined) {
    onEnd(new UndefinedCallbackError(server.label, 'codeChange'));
    return;
  }
  const extras = server.extrasInUse;
  extras.systemRequest = request;
  server.isBusy = true;
  const finish = (error: unknown): void => {
    extras.systemRequest = null;
    onEnd(error);
    const { exitMark } = server;
    if (exitMark !== null) server.terminate(exitMark.reason, undefined);
    else server.resume();
  };
  runOwnCallback<ChangedServer, null>(
    server,
    {
      run: () => instance.codeChange!(oldVersion, server.state, extra),
      done: (_, result) => finish(applied(server, result)),
      failed: (_, thrown) => finish(codeChangeError(server, thrown, thrown)),
    },
    null,
  );
}

function applied(server: ChangedServer, result: unknown): CodeChangeError | undefined {
  const { exitMark } = server;
  if (exitMark !== null) return codeChangeError(server, exitMark.reason, undefined);
  const fault = faultOf(result, 'code_change');
  if (fault !== undefined) {
    return codeChangeError(server, { badReturnValue: result }, badReturnValue(server, 'codeChange', result, fault));
  }
  const { kind, value, state } = result as CallbackResult;
  if (kind === 'error') return codeChangeError(server, value, undefined);
  server.state = state;
  return undefined;
}

function codeChangeError(
  { label, runtime: { redaction } }: ChangedServer,
  reason: unknown,
  cause: unknown,
): CodeChangeError {
  return new CodeChangeError(label, redaction.reason(reason), redaction.reason(cause));
}

import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  GatewayTimeoutException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import { type ArgumentIssue, ArgumentsRefusedError } from '../../gen-server/arguments-refused-error.js';
import {
  CallTimeoutError,
  NoProcessError,
  OverloadedError,
  ServerExitedError,
  TaskExitError,
  TaskTimeoutError,
} from '../../gen-server/errors.js';
import { isCleanExit } from '../../runtime/exits/exit-reason.js';
import { MaxChildrenError } from '../../supervision/errors.js';

/** How long a client should wait before it retries a server that is not there, in seconds. */
const RETRY_AFTER_S = 1;

type ReportedError =
  ArgumentsRefusedError | TimeoutError | ExitError | NoProcessError | OverloadedError | MaxChildrenError;
type TimeoutError = CallTimeoutError | TaskTimeoutError;
type ExitError = ServerExitedError | TaskExitError;

/** A client of a gateway: a socket of Socket.IO, or a native WebSocket. */
interface GatewayClient {
  emit(event: string, payload: unknown): void;
  send(data: string): void;
  /** Of a native WebSocket only, whose `emit` is that of Node's emitters and sends nothing. */
  readonly readyState?: unknown;
}

/**
 * Tells clients of the transport why a server or a task did not answer: over HTTP 504 for a timeout, 503 with
 * `Retry-After` when it is not there, was shut down or is overloaded, 500 when it crashed, 400 with the issues when a schema refused
 * the arguments; for microservices and WebSockets an error with the stable code. The arguments of the request, which the errors carry, are
 * not shown.
 *
 * Opt in with `{ provide: APP_FILTER, useClass: GenServerExceptionFilter }`, which Nest applies to HTTP and microservices, or with
 * `@UseFilters(GenServerExceptionFilter)`, which gateways need: Nest asks no global filter there.
 *
 * @publicApi
 */
@Catch(
  ArgumentsRefusedError,
  CallTimeoutError,
  MaxChildrenError,
  NoProcessError,
  OverloadedError,
  ServerExitedError,
  TaskExitError,
  TaskTimeoutError,
)
export class GenServerExceptionFilter extends BaseExceptionFilter<ReportedError> {
  override catch(error: ReportedError, host: ArgumentsHost): Observable<never> | undefined {
    const { code } = error;
    const type = host.getType<'http' | 'rpc' | 'ws'>();
    const told = { status: 'error', code, message: publicMessage(error), ...issuesOf(error) };
    if (type === 'rpc') return throwError(() => told);
    if (type === 'ws') {
      emit(host.switchToWs().getClient<GatewayClient>(), 'exception', told);
      return undefined;
    }
    if (type !== 'http') throw error;
    super.catch(this.httpExceptionFor(error, host), host);
    return undefined;
  }

  private httpExceptionFor(error: ReportedError, host: ArgumentsHost): ReportedError {
    const body = { error: error.code, message: publicMessage(error) };
    if (isTimeout(error)) {
      return new GatewayTimeoutException({ statusCode: 504, ...body }, { cause: error }) as never;
    }
    if (error instanceof ArgumentsRefusedError) {
      return new BadRequestException({ statusCode: 400, ...body, ...issuesOf(error) }, { cause: error }) as never;
    }
    if (isExit(error) && !isCleanExit(error.reason)) return error;
    const adapter = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.switchToHttp().getResponse();
    if (adapter?.isHeadersSent(response) === false) adapter.setHeader(response, 'Retry-After', String(RETRY_AFTER_S));
    return new ServiceUnavailableException({ statusCode: 503, ...body }, { cause: error }) as never;
  }
}

/** Replies to a client as Nest's own filter does, through the adapter that the client used. */
function emit(client: GatewayClient, event: string, data: unknown): void {
  if (typeof client.readyState === 'number') client.send(JSON.stringify({ event, data }));
  else client.emit(event, data);
}

function publicMessage(error: ReportedError): string {
  if (error instanceof ArgumentsRefusedError) return 'The request is not what the server takes.';
  return isTimeout(error) ? 'The server did not answer in time.' : 'The server is not available. Try again.';
}

function isTimeout(error: ReportedError): error is TimeoutError {
  return error instanceof CallTimeoutError || error instanceof TaskTimeoutError;
}

function isExit(error: ReportedError): error is ExitError {
  return error instanceof ServerExitedError || error instanceof TaskExitError;
}

/** What a client of the transport can correct. Which argument of which handler it became is not disclosed. */
function issuesOf(error: ReportedError): { issues?: readonly ArgumentIssue[] } {
  if (!(error instanceof ArgumentsRefusedError)) return {};
  return { issues: error.issues.map(({ path, message }) => ({ path: path.slice(1), message })) };
}

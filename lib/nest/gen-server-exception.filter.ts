import { type ArgumentsHost, Catch, GatewayTimeoutException, ServiceUnavailableException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import {
  CallTimeoutError,
  NoProcessError,
  OverloadedError,
  ServerExitedError,
  TaskExitError,
  TaskTimeoutError,
} from '../gen-server/errors.js';
import { isCleanExit } from '../runtime/exit-reason.js';

/** How long a client should stay away from a server that is not there, in seconds. */
const RETRY_AFTER_S = 1;

type AvailabilityError = TimeoutError | ExitError | NoProcessError | OverloadedError;
type TimeoutError = CallTimeoutError | TaskTimeoutError;
type ExitError = ServerExitedError | TaskExitError;

/** What a client of the transport needs of a WebSocket. */
interface EventEmitting {
  emit(event: string, payload: unknown): void;
}

/**
 * Tells clients of the transport what it means that a server or a task did not answer: over HTTP 504 for a timeout, 503 with
 * `Retry-After` when it is not there, was shut down or has too much to do, 500 when it crashed; for microservices and WebSockets an error
 * with the stable code. The arguments of the request, which the errors carry, are not shown.
 *
 * Opt in with `{ provide: APP_FILTER, useClass: GenServerExceptionFilter }` or `@UseFilters(GenServerExceptionFilter)`.
 *
 * @publicApi
 */
@Catch(CallTimeoutError, NoProcessError, OverloadedError, ServerExitedError, TaskExitError, TaskTimeoutError)
export class GenServerExceptionFilter extends BaseExceptionFilter<AvailabilityError> {
  override catch(error: AvailabilityError, host: ArgumentsHost): Observable<never> | undefined {
    const { code } = error;
    const type = host.getType<'http' | 'rpc' | 'ws'>();
    if (type === 'rpc') return throwError(() => ({ status: 'error', code, message: publicMessage(error) }));
    if (type === 'ws') {
      host
        .switchToWs()
        .getClient<EventEmitting>()
        .emit('exception', { status: 'error', code, message: publicMessage(error) });
      return undefined;
    }
    if (type !== 'http') throw error;
    super.catch(this.httpExceptionFor(error, host), host);
    return undefined;
  }

  private httpExceptionFor(error: AvailabilityError, host: ArgumentsHost): AvailabilityError {
    const body = { error: error.code, message: publicMessage(error) };
    if (isTimeout(error)) {
      return new GatewayTimeoutException({ statusCode: 504, ...body }, { cause: error }) as never;
    }
    if (isExit(error) && !isCleanExit(error.reason)) return error;
    const adapter = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.switchToHttp().getResponse();
    if (adapter?.isHeadersSent(response) === false) adapter.setHeader(response, 'Retry-After', String(RETRY_AFTER_S));
    return new ServiceUnavailableException({ statusCode: 503, ...body }, { cause: error }) as never;
  }
}

function publicMessage(error: AvailabilityError): string {
  return isTimeout(error) ? 'The server did not answer in time.' : 'The server is not available. Try again.';
}

function isTimeout(error: AvailabilityError): error is TimeoutError {
  return error instanceof CallTimeoutError || error instanceof TaskTimeoutError;
}

function isExit(error: AvailabilityError): error is ExitError {
  return error instanceof ServerExitedError || error instanceof TaskExitError;
}

import type { MessageEvent } from '@nestjs/common';
import { type ReplyStream, ServerExitedError, toObservable } from 'nestjs-genserver';
import { catchError, map, type Observable, of, tap, throwError } from 'rxjs';
import type { TurnEvent } from './turn.js';

/** How soon a browser comes again after a stream that was lost, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * A turn as Server-Sent Events. When the conversation ends before the turn does, its reader is told to come again: an `EventSource` does
 * so by itself, with the id of the last token it got, and learns from the next process what became of the turn.
 */
export function turnEvents(stream: ReplyStream<TurnEvent>, from: number): Observable<MessageEvent> {
  let lastId = from;
  return toObservable(stream).pipe(
    tap(({ id }) => (lastId = id)),
    map(({ id, ...event }): MessageEvent => ({ id: String(id), ...event })),
    catchError((error: unknown) =>
      error instanceof ServerExitedError
        ? // With an id, since Nest would count on its own.
          of({ id: String(lastId), type: 'lost', data: 'the conversation has ended', retry: RETRY_MS })
        : throwError(() => error),
    ),
  );
}

import { isolatedCopy } from '../../runtime/isolation/isolated-copy.js';
import { markAsHandle } from '../../runtime/isolation/handle.js';
import { assertDurationMs, InvalidArgumentError, withoutFrames } from '../../runtime/errors.js';
import { type ExitReason, isError } from '../../runtime/exits/exit-reason.js';
import { watch } from '../../runtime/relations/monitors.js';
import type { Monitor } from '../../runtime/relations/relations.js';
import type { Runtime } from '../../runtime/runtime.js';
import { Shape } from '../../runtime/secrets/shape.js';
import { Deadline } from '../../runtime/time/deadline.js';
import { QUOTA } from '../../runtime/scheduling/scheduler.js';
import { type CallRequest, describeRequest } from '../process/call-request.js';
import {
  CallbackResult,
  KEEP_STATE,
  type Literal,
  type Modifiers,
  NO_ANSWER,
  type Reply,
} from '../results/callback-result.js';
import {
  type RequestDescription,
  ServerExitedError,
  StreamAlreadyReadError,
  StreamNotBegunError,
  StreamOverflowError,
} from '../errors.js';
import { beginWork, endWork } from '../process/quiet-time.js';
import type { StreamAnswer, StreamingServer } from '../process/stream-answer.js';
import {
  isStreamSource,
  type ItemIterator,
  leaveItems,
  MOST_BUFFERED,
  openItems,
  releaseItems,
  type StreamSource,
} from './reply-stream-source.js';
import { isThenable, whenSettled } from '../results/thenable.js';

type ReadResult<T> = IteratorResult<T, undefined>;

const DONE: ReadResult<never> = Object.freeze({ done: true, value: undefined });

/** How long a stream waits for its reader when nobody says otherwise. */
const DEFAULT_BEGIN_WITHIN_MS = 30_000;

/**
 * How a stream is given to its reader.
 *
 * @publicApi
 */
export interface ReplyStreamOptions {
  /**
   * How long the stream waits for somebody to begin to read it, in milliseconds. Then it is over: its source is let go,
   * and a reader that comes later gets a `StreamNotBegunError`. `Infinity` holds it until the server ends. Default: 30 000.
   */
  readonly beginWithinMs?: number | undefined;
}

interface Reader {
  resolve(result: ReadResult<unknown>): void;
  reject(error: unknown): void;
}

/**
 * Reads one source for one reader, from the reply to the end of the stream. It takes an item only when the reader asks for one, and in the
 * root context. It ends once: when the source ends or fails, when the reader leaves, or when the server ends.
 */
class Reading extends Deadline {
  private items: unknown = null;
  private iterator: ItemIterator | null = null;
  private controller: AbortController | null = null;
  /** The pending requests for an item, in order. */
  private readonly readers: Reader[] = [];
  private isTaking = false;
  /** How many items were taken from the source. */
  private taken = 0;
  private isOver = false;
  /** The reader has asked for an item. From then until the end of the stream, the server is not idle. */
  private isRead = false;
  /** An error that the next request for an item will reject with. */
  private failure: { readonly error: unknown } | null = null;
  private readonly monitor: Monitor;

  constructor(
    private readonly server: StreamingServer,
    readonly request: RequestDescription,
    private source: unknown,
    private readonly beginWithinMs: number,
  ) {
    super();
    this.monitor = watch(server, (reason) => this.serverEnded(reason));
    server.runtime.deadlines.add(this, beginWithinMs);
  }

  get label(): string {
    return this.server.label;
  }

  get runtime(): Runtime {
    return this.server.runtime;
  }

  read(): Promise<ReadResult<unknown>> {
    const { failure } = this;
    if (failure !== null) {
      this.failure = null;
      return Promise.reject(failure.error);
    }
    if (this.isOver) return Promise.resolve(DONE);
    if (!this.isRead) {
      this.isRead = true;
      this.cancel();
      beginWork(this.server);
    }
    return new Promise((resolve, reject) => {
      this.readers.push({ resolve, reject });
      this.take();
    });
  }

  /** The reader leaves. It need not wait for the source to notice. */
  leave(): Promise<ReadResult<unknown>> {
    this.failure = null;
    this.release('normal');
    this.finish();
    return Promise.resolve(DONE);
  }

  /** Nobody has begun to read. */
  override expire(): void {
    this.release('normal');
    this.failed(withoutFrames(() => new StreamNotBegunError(this.label, this.request, this.beginWithinMs)));
  }

  private take(): void {
    if (this.isTaking || this.isOver || this.readers.length === 0) return;
    this.isTaking = true;
    // A source that never waits would block the event loop, including the code that is going to end the stream.
    if (++this.taken % QUOTA === 0) this.server.runtime.clock.nextTurn(() => this.takeNow());
    else this.takeNow();
  }

  private takeNow(): void {
    if (this.isOver) return;
    this.server.runtime.root.run(() => {
      let result: PromiseLike<unknown>;
      try {
        this.iterator ??= this.open();
        result = this.iterator.next();
      } catch (error) {
        this.failed(error);
        return;
      }
      whenSettled(
        result,
        (value) => this.took(value as ReadResult<unknown>),
        (error) => this.failed(error),
      );
    });
  }

  private open(): ItemIterator {
    let items = this.source;
    if (typeof items === 'function') {
      this.controller = new AbortController();
      items = (items as (signal: AbortSignal) => unknown)(this.controller.signal);
    }
    this.items = items;
    this.source = null;
    return openItems(items, () => new StreamOverflowError(this.label, this.request, MOST_BUFFERED));
  }

  private took(result: ReadResult<unknown>): void {
    this.isTaking = false;
    if (this.isOver) return;
    if (typeof result !== 'object' || result === null) {
      this.failed(
        new TypeError(
          `The source of a stream of ${this.label} must return iterator results, got: ${Shape.of(result).toString()}`,
        ),
      );
      return;
    }
    let item: unknown;
    try {
      if (result.done === true) {
        this.finish();
        return;
      }
      item = this.server.clonesMessages ? isolatedCopy(result.value) : result.value;
    } catch (error) {
      this.release('normal');
      this.failed(error);
      return;
    }
    this.readers.shift()!.resolve({ done: false, value: item });
    this.take();
  }

  private failed(error: unknown): void {
    this.isTaking = false;
    if (this.isOver) return;
    const reader = this.readers.shift();
    if (reader === undefined) this.failure = { error };
    else reader.reject(error);
    this.finish();
  }

  private serverEnded(reason: ExitReason): void {
    this.release(reason);
    const told = this.server.runtime.redaction.reason(reason);
    const cause = isError(told) ? told : undefined;
    this.failed(withoutFrames(() => new ServerExitedError(this.label, this.request, told, cause)));
  }

  private finish(): void {
    if (this.isRead && !this.isOver) endWork(this.server);
    this.isOver = true;
    this.cancel();
    this.monitor.stop();
    this.items = this.source = this.iterator = null;
    for (const reader of this.readers.splice(0)) reader.resolve(DONE);
  }

  /** Releases a source that has not ended by itself. */
  private release(reason: ExitReason): void {
    if (this.isOver) return;
    const { iterator, items, source, controller } = this;
    this.server.runtime.root.run(() => {
      controller?.abort(reason);
      if (iterator === null) releaseItems(source);
      else leaveItems(items, iterator);
    });
  }
}

/**
 * The result of a call to a handler that answers with {@link replyStream}: items to read with `for await`, by one reader. The reader sets
 * the pace: no item is produced before it is asked for. The server handles other messages meanwhile.
 *
 * Reading rejects with what the source threw, or with `ServerExitedError` when the server ends before the stream does. Leaving the
 * loop ends the source. A stream that nobody begins to read is held for `beginWithinMs`, and does not keep the server from going idle
 * (`idleMs`); one that is being read does, until it ends or its reader leaves: return an iterator that was taken by hand.
 *
 * @publicApi
 */
export class ReplyStream<T> implements AsyncIterable<T> {
  readonly #reading: Reading;
  #isTaken = false;

  /** @internal */
  constructor(reading: object) {
    this.#reading = reading as Reading;
  }

  /** The world of the server that it comes from. @internal */
  static runtimeOf(stream: ReplyStream<unknown>): Runtime {
    return stream.#reading.runtime;
  }

  /** @throws {StreamAlreadyReadError} Somebody reads it already, or has. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> & { return(): Promise<IteratorResult<T, undefined>> } {
    const reading = this.#reading;
    if (this.#isTaken) throw new StreamAlreadyReadError(reading.label, reading.request);
    this.#isTaken = true;
    return {
      next: () => reading.read() as Promise<ReadResult<T>>,
      return: () => reading.leave() as Promise<ReadResult<T>>,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

markAsHandle(ReplyStream.prototype);

/**
 * Answers a call with a stream of items, and replaces the state if one is given. The caller's promise resolves to a {@link ReplyStream} at
 * once. The timeout of the call does not cover the reading.
 *
 * @param source  Where the items come from. It is read on demand, outside of the mailbox and never in the async context of the reader,
 *   until it ends, the reader leaves, or the server ends: then its iterator is returned, once.
 * @param options  How long it waits for its reader.
 *
 * @throws {InvalidArgumentError} `source` is not a source of items. If the handler does not catch it, the server crashes, as with any other
 *   error.
 *
 * @publicApi
 */
export function replyStream<T>(
  source: StreamSource<T>,
): Reply<ReplyStream<T>, never> & Modifiers<Reply<ReplyStream<T>, never>>;
export function replyStream<T, S>(
  source: StreamSource<T>,
  state: Literal<S>,
  options?: ReplyStreamOptions,
): Reply<ReplyStream<T>, S> & Modifiers<Reply<ReplyStream<T>, S>>;
export function replyStream<T, S>(
  source: StreamSource<T>,
  state: S,
  options?: ReplyStreamOptions,
): Reply<ReplyStream<T>, S> & Modifiers<Reply<ReplyStream<T>, S>>;
export function replyStream(source: unknown, ...rest: readonly unknown[]): unknown {
  if (!isStreamSource(source)) {
    const hint = isThenable(source) ? ' Await it first.' : '';
    throw new InvalidArgumentError(
      `replyStream needs an async iterable, an iterable, a Readable, an Observable or a function that gives one, got: ${Shape.of(source).toString()}.${hint}`,
    );
  }
  const [state, options] = rest as [unknown, ReplyStreamOptions?];
  const { beginWithinMs = DEFAULT_BEGIN_WITHIN_MS } = options ?? {};
  assertDurationMs(beginWithinMs, 'beginWithinMs of replyStream', true);
  const answer = new SourceAnswer(source, beginWithinMs);
  return new CallbackResult('replyStream', answer, rest.length === 0 ? KEEP_STATE : state, null, NO_ANSWER);
}

/** The answer that a `replyStream` result carries. Its source has not been read. */
class SourceAnswer implements StreamAnswer {
  constructor(
    private readonly source: unknown,
    private readonly beginWithinMs: number,
  ) {}

  answerTo(server: StreamingServer, request: CallRequest): void {
    if (request.isSettled) {
      // The caller has timed out.
      this.abandon();
      return;
    }
    const description = describeRequest(server.runtime, request.invocation, request.payload);
    const stream = new ReplyStream(new Reading(server, description, this.source, this.beginWithinMs));
    server.debugging?.answered(request, stream);
    request.answer(stream);
  }

  abandon(): void {
    releaseItems(this.source);
  }
}

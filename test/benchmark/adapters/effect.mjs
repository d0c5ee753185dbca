// Effect has no GenServer outside its cluster module: a queue, a fiber and deferreds by hand.
import { Deferred, Effect, Fiber, Queue } from 'effect';

const make = (handle) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded();
      let count = 0;
      const loop = Effect.forever(Effect.flatMap(Queue.take(queue), (message) => handle(() => ++count, message)));
      return { queue, fiber: Effect.runFork(loop) };
    }),
  );
const answer = (message, value) => (message === null ? Effect.void : Deferred.succeed(message, value));
const sync = (bump, message) => answer(message, bump());
const later = (bump, message) =>
  Effect.flatMap(
    Effect.promise(async () => {
      await null;
      return bump();
    }),
    (value) => answer(message, value),
  );

/** A call, as an effect. */
export const ask = (queue, timeoutMs) =>
  Effect.suspend(() => {
    const deferred = Deferred.makeUnsafe();
    Queue.offerUnsafe(queue, deferred);
    return timeoutMs ? Effect.timeout(Deferred.await(deferred), timeoutMs) : Deferred.await(deferred);
  });

export default {
  name: 'Effect, from a controller',
  kind: 'library',
  note: 'Queue + fiber + Deferred + Effect.timeout by hand; runPromise for each call, as an async controller would',
  start: (ctx, { async } = {}) => make(async ? later : sync),
  call: (ctx, { queue }) => Effect.runPromise(ask(queue, 5000)),
  cast: (ctx, { queue }) => {
    Queue.offerUnsafe(queue, null);
  },
  flush: (ctx, { queue }) => Effect.runPromise(ask(queue, 0)),
  stop: (ctx, { fiber }) => Effect.runPromise(Fiber.interrupt(fiber)),
  async pingpong(ctx, n) {
    const a = await Effect.runPromise(Queue.unbounded());
    const b = await Effect.runPromise(Queue.unbounded());
    return new Promise((done) => {
      const loop = (mine, other) =>
        Effect.runFork(
          Effect.forever(
            Effect.flatMap(Queue.take(mine), (left) =>
              Effect.sync(() => {
                if (left === 0) done();
                else Queue.offerUnsafe(other, left - 1);
              }),
            ),
          ),
        );
      loop(a, b);
      loop(b, a);
      Queue.offerUnsafe(a, n);
    });
  },
  async supervised() {
    const queue = await Effect.runPromise(Queue.unbounded());
    let started = 0;
    const server = Effect.suspend(() => {
      const mine = ++started;
      return Effect.forever(
        Effect.flatMap(Queue.take(queue), (message) =>
          message === 'boom' ? Effect.fail('boom') : Deferred.succeed(message, mine),
        ),
      );
    });
    Effect.runFork(Effect.retry(server, { times: 1e9 }));
    return {
      crash: () => {
        Queue.offerUnsafe(queue, 'boom');
      },
      generation: () => Effect.runPromise(ask(queue, 5000)),
    };
  },
};

// The same for a program that is written in Effect from end to end: the caller is a fiber too.
import { Effect } from 'effect';
import base, { ask } from './effect.mjs';

export default {
  ...base,
  name: 'Effect, from a fiber',
  note: 'the same server; the calls are made inside one fiber, one runPromise for all of them',
  sequence: (ctx, { queue }, n) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < n; i++) yield* ask(queue, 5000);
      }),
    ),
  batch: (ctx, { queue }, n) =>
    Effect.runPromise(
      Effect.all(
        Array.from({ length: n }, () => ask(queue, 5000)),
        { concurrency: 'unbounded', discard: true },
      ),
    ),
  skip: ['cast', 'spawn', 'pingpong', 'restart', 'fairness'],
};

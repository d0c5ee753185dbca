// The same for a program that is written in Effect from end to end: the caller is a fiber too.
import { Effect } from 'effect';
import base, { ask } from './effect.mjs';

export default {
  ...base,
  name: 'Effect, from a fiber',
  note: 'the same server at its best: the calls are made inside one fiber, one runPromise for all of them, and have no timeout',
  sequence: (ctx, { queue }, n) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < n; i++) yield* ask(queue, 0);
      }),
    ),
  batch: (ctx, { queue }, n) =>
    Effect.runPromise(
      Effect.all(
        Array.from({ length: n }, () => ask(queue, 0)),
        { concurrency: 'unbounded', discard: true },
      ),
    ),
  skip: ['cast', 'spawn', 'pingpong', 'restart', 'fairness'],
};

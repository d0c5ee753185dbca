import { Mutex } from 'async-mutex';

class Counter {
  count = 0;
  mutex = new Mutex();
  inc = () => ++this.count;
  incA = async () => {
    await null;
    return ++this.count;
  };
}

export default {
  name: 'async-mutex',
  kind: 'idiom',
  note: 'Mutex.runExclusive; no timeout; casts are calls nobody awaits, 100 000 at most (its queue is quadratic)',
  castN: 100_000,
  async start(ctx, { async } = {}) {
    const counter = new Counter();
    counter.op = async ? counter.incA : counter.inc;
    return counter;
  },
  call: (ctx, { mutex, op }) => mutex.runExclusive(op),
  cast: (ctx, { mutex, op }) => {
    void mutex.runExclusive(op);
  },
  flush: (ctx, { mutex, op }) => mutex.runExclusive(op),
  async stop() {},
  skip: ['pingpong', 'restart'],
};

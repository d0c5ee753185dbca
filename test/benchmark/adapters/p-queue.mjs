import PQueue from 'p-queue';

class Counter {
  count = 0;
  queue = new PQueue({ concurrency: 1 });
  inc = () => ++this.count;
  incA = async () => {
    await null;
    return ++this.count;
  };
}

export default {
  name: 'p-queue',
  kind: 'idiom',
  note: 'concurrency 1; no timeout, which is its default',
  async start(ctx, { async } = {}) {
    const counter = new Counter();
    counter.op = async ? counter.incA : counter.inc;
    return counter;
  },
  call: (ctx, { queue, op }) => queue.add(op),
  cast: (ctx, { queue, op }) => {
    void queue.add(op);
  },
  flush: (ctx, { queue, op }) => queue.add(op),
  async stop() {},
  skip: ['pingpong', 'restart'],
};

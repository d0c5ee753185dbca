const noop = () => {};
class Counter {
  n = 0;
  tail = Promise.resolve();
  run(fn) {
    const p = this.tail.then(fn);
    this.tail = p.catch(noop);
    return p;
  }
  inc = () => ++this.n;
  incA = async () => {
    await null;
    return ++this.n;
  };
}
export default {
  name: 'promise chain',
  kind: 'idiom',
  note: 'hand-written mutex: tail = tail.then(fn); no timeout',
  async start(ctx, { async } = {}) {
    const c = new Counter();
    c.op = async ? c.incA : c.inc;
    return c;
  },
  call: (ctx, h) => h.run(h.op),
  cast: (ctx, h) => {
    h.run(h.op);
  },
  flush: (ctx, h) => h.run(h.op),
  async stop() {},
  skip: ['pingpong', 'restart'],
};

class Counter {
  n = 0;
  async inc() {
    return ++this.n;
  }
  async incA() {
    await null;
    return ++this.n;
  }
}
export default {
  name: 'plain async method',
  kind: 'idiom',
  note: 'await obj.method(); nothing serialized, no timeout',
  async start(ctx, { async } = {}) {
    const c = new Counter();
    c.op = async ? c.incA : c.inc;
    return c;
  },
  call: (ctx, h) => h.op(),
  cast: (ctx, h) => {
    h.op();
  },
  flush: (ctx, h) => h.inc(),
  async stop() {},
  skip: ['spawn', 'pingpong', 'restart', 'fairness'],
};

const noop = () => {};
class Counter {
  n = 0;
  tail = Promise.resolve();
  run(fn) {
    const p = this.tail.then(fn);
    this.tail = p.catch(noop);
    return p;
  }
  runT(fn, ms) {
    const p = this.run(fn);
    return new Promise((res, rej) => {
      const t = setTimeout(() => rej(new Error('timeout')), ms);
      p.then(
        (v) => {
          clearTimeout(t);
          res(v);
        },
        (e) => {
          clearTimeout(t);
          rej(e);
        },
      );
    });
  }
  inc = () => ++this.n;
  incA = async () => {
    await null;
    return ++this.n;
  };
}
export default {
  name: 'promise chain + setTimeout',
  kind: 'idiom',
  note: 'the same with a timer per call',
  async start(ctx, { async } = {}) {
    const c = new Counter();
    c.op = async ? c.incA : c.inc;
    return c;
  },
  call: (ctx, h) => h.runT(h.op, 5000),
  cast: (ctx, h) => {
    h.run(h.op);
  },
  flush: (ctx, h) => h.run(h.op),
  async stop() {},
  skip: ['spawn', 'pingpong', 'restart', 'fairness'],
};

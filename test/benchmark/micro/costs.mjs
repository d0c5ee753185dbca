// What single ingredients cost per operation, in ns of CPU time (median of 9 rounds, interleaved).
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { performance as perf } from 'node:perf_hooks';
const als = new AsyncLocalStorage(),
  als2 = new AsyncLocalStorage();
const res = new AsyncResource('x');
const store = {};
let n = 0;
const f = () => ++n;
const fa = async () => ++n;
const N = 200000;
const turn = () => new Promise((r) => setImmediate(r));
let ga;
const grab = (a) => {
  ga = a;
};
const tests = {
  'empty loop': async () => {
    for (let i = 0; i < N; i++) f();
  },
  'await async fn': async () => {
    for (let i = 0; i < N; i++) await fa();
  },
  'await plain value': async () => {
    for (let i = 0; i < N; i++) await f();
  },
  'new Promise + resolve + await': async () => {
    for (let i = 0; i < N; i++) {
      const p = new Promise(grab);
      ga(1);
      await p;
    }
  },
  'queueMicrotask hop': async () => {
    for (let i = 0; i < N; i++) {
      const p = new Promise(grab);
      queueMicrotask(ga);
      await p;
    }
  },
  'Promise.then hop': async () => {
    const q = Promise.resolve();
    for (let i = 0; i < N; i++) {
      const p = new Promise(grab);
      q.then(ga);
      await p;
    }
  },
  'process.nextTick hop': async () => {
    for (let i = 0; i < N; i++) {
      const p = new Promise(grab);
      process.nextTick(ga);
      await p;
    }
  },
  'setImmediate hop': async () => {
    for (let i = 0; i < N / 4; i++) {
      const p = new Promise(grab);
      setImmediate(ga);
      await p;
    }
  },
  'setTimeout + clearTimeout': async () => {
    for (let i = 0; i < N; i++) clearTimeout(setTimeout(f, 5000));
  },
  'setTimeout + unref + clear': async () => {
    for (let i = 0; i < N; i++) {
      const t = setTimeout(f, 5000);
      t.unref();
      clearTimeout(t);
    }
  },
  '1000 setTimeout, then clear': async () => {
    for (let k = 0; k < N / 1000; k++) {
      const ts = [];
      for (let i = 0; i < 1000; i++) ts.push(setTimeout(f, 5000));
      for (const t of ts) clearTimeout(t);
    }
  },
  'AbortSignal.timeout': async () => {
    for (let i = 0; i < N / 20; i++) AbortSignal.timeout(5000);
  },
  'performance.now (global)': async () => {
    for (let i = 0; i < N; i++) performance.now();
  },
  'performance.now (import)': async () => {
    for (let i = 0; i < N; i++) perf.now();
  },
  'Date.now': async () => {
    for (let i = 0; i < N; i++) Date.now();
  },
  'process.hrtime.bigint': async () => {
    for (let i = 0; i < N; i++) process.hrtime.bigint();
  },
  'ALS.run (sync fn)': async () => {
    for (let i = 0; i < N; i++) als.run(store, f);
  },
  'ALS.run (async fn, awaited)': async () => {
    for (let i = 0; i < N; i++) await als.run(store, fa);
  },
  'ALS.getStore': async () => {
    for (let i = 0; i < N; i++) als.getStore();
  },
  'ALS.enterWith': async () => {
    for (let i = 0; i < N; i++) als2.enterWith(store);
  },
  'AsyncResource.runInAsyncScope': async () => {
    for (let i = 0; i < N; i++) res.runInAsyncScope(f);
  },
  'new AsyncResource + run': async () => {
    for (let i = 0; i < N; i++) new AsyncResource('y').runInAsyncScope(f);
  },
  'await async fn, inside one ALS.run': () =>
    als.run(store, async () => {
      for (let i = 0; i < N; i++) await fa();
    }),
};
const per = { 'setImmediate hop': N / 4, 'AbortSignal.timeout': N / 20 };
// The cost of promises once any AsyncLocalStorage has run is different from before: a fresh process can measure that.
const pre = process.argv.includes('--no-als');
const names = Object.keys(tests).filter((k) => !pre || !/ALS|AsyncResource/.test(k));
const out = Object.fromEntries(names.map((k) => [k, []]));
for (let r = 0; r < 11; r++)
  for (const k of names) {
    await turn();
    globalThis.gc?.();
    const c = process.cpuUsage();
    await tests[k]();
    const d = process.cpuUsage(c);
    if (r > 1) out[k].push(((d.user + d.system) * 1000) / (per[k] ?? N));
  }
const med = (x) => x.sort((a, b) => a - b)[x.length >> 1];
const base = med(out['empty loop']);
console.log(
  JSON.stringify(
    Object.fromEntries(
      names.map((k) => [
        k,
        {
          ns: Math.round(med(out[k]) - (k === 'empty loop' ? 0 : base)),
          min: Math.round(Math.min(...out[k]) - (k === 'empty loop' ? 0 : base)),
        },
      ]),
    ),
    null,
    1,
  ),
);
process.exit(0);

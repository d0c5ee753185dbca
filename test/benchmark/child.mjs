// node --expose-gc child.mjs <adapter> <scenario> <options as JSON>; prints "METRIC name value" lines
import { AsyncLocalStorage } from 'node:async_hooks';
import { scenarios } from './lib/workloads.mjs';

const [, , adapter, scenario, json = '{}'] = process.argv;
const { als = false, ...options } = JSON.parse(json);
const { default: A } = await import(`./adapters/${adapter}.mjs`);
// A global: what it holds must be reachable to the end, whatever the optimizer finds out.
const ctx = (globalThis.ctx = A.setup ? await A.setup() : {});
const keep = setInterval(() => {}, 1e6);

const measure = () =>
  scenarios[scenario](A, ctx, { warm: 150, ms: 400, ...options }, (name, value) =>
    console.log(`METRIC ${als ? 'als.' : ''}${name} ${value}`),
  );
// As in an application with request contexts or tracing: it is loaded and booted outside of any context, and used inside of one.
// From the first `run` on, Node 20 hooks every promise.
await (als ? new AsyncLocalStorage().run({}, measure) : measure());
clearInterval(keep);
process.exit(0);

// node --expose-gc child.mjs <adapter> <scenario> <options as JSON>; prints "METRIC name value" lines
import { AsyncLocalStorage } from 'node:async_hooks';
import { scenarios } from './lib/workloads.mjs';

const [, , adapter, scenario, json = '{}'] = process.argv;
const { als = false, ...options } = JSON.parse(json);
// An application with request contexts or tracing: inside `run` a store is active, and from there on Node 20 hooks every promise.
const inState = als ? (work) => new AsyncLocalStorage().run({}, work) : (work) => work();
const prefix = als ? 'als.' : '';

await inState(async () => {
  const { default: A } = await import(`./adapters/${adapter}.mjs`);
  // A global: what it holds must be reachable to the end, whatever the optimizer finds out.
  const ctx = (globalThis.ctx = A.setup ? await A.setup() : {});
  const keep = setInterval(() => {}, 1e6);
  await scenarios[scenario](A, ctx, { warm: 150, ms: 400, ...options }, (name, value) =>
    console.log(`METRIC ${prefix}${name} ${value}`),
  );
  clearInterval(keep);
});
process.exit(0);

// node http/load.mjs <port> <connections> <requests>: loads the route of http/server.mjs with so many; prints "METRIC name value" lines
import autocannon from 'autocannon';

const [, , port, connections, requests] = process.argv;
// As many before, so that the server is warm. Counted in requests: a starved server needs more seconds for them.
const WARM_UP = 10_000;
const base = `http://127.0.0.1:${port}`;
const usage = async () => {
  const { user, system } = await (await globalThis.fetch(`${base}/usage`)).json();
  return user + system;
};

/** Loads the route, and gives how many answers came, in how many seconds, and how long each took, in milliseconds. */
async function load(amount) {
  const times = [];
  const begin = performance.now();
  let last = begin; // autocannon itself ends at the next full second
  const instance = autocannon({ url: `${base}/count`, connections: Number(connections), amount });
  instance.on('response', (_client, _status, _bytes, ms) => {
    times.push(ms);
    last = performance.now();
  });
  const { errors, non2xx, timeouts } = await instance;
  const took = (last - begin) / 1000;
  if (errors + non2xx + timeouts > 0) throw new Error(`${errors} errors, ${non2xx} not 2xx, ${timeouts} timeouts`);
  return { answers: times.length, took, times: times.sort((a, b) => a - b) };
}

await load(WARM_UP);
const before = await usage();
const { answers, took, times } = await load(Number(requests));
const cpuUs = (await usage()) - before;
const metrics = {
  requestsPerSecond: answers / took,
  p50Ms: times[Math.floor(times.length * 0.5)],
  p99Ms: times[Math.floor(times.length * 0.99)],
  serverCpuUs: cpuUs / answers,
};
for (const [name, value] of Object.entries(metrics)) console.log(`METRIC ${name} ${value}`);

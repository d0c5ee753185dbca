// node http/load.mjs <port> <connections> <seconds>: loads the route of http/server.mjs; prints "METRIC name value" lines
import autocannon from 'autocannon';

const [, , port, connections, seconds] = process.argv;
const base = `http://127.0.0.1:${port}`;
const usage = async () => {
  const { user, system } = await (await globalThis.fetch(`${base}/usage`)).json();
  return user + system;
};

/** Loads the route, and gives how many answers came in how many seconds, and how long each took, in milliseconds. */
async function load(duration) {
  const times = [];
  const instance = autocannon({ url: `${base}/count`, connections: Number(connections), duration });
  instance.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  const { errors, non2xx, timeouts, requests, duration: took } = await instance;
  if (errors + non2xx + timeouts > 0) throw new Error(`${errors} errors, ${non2xx} not 2xx, ${timeouts} timeouts`);
  return { answers: requests.total, took, times: times.sort((a, b) => a - b) };
}

await load(1);
const before = await usage();
const { answers, took, times } = await load(Number(seconds));
const cpuUs = (await usage()) - before;
const metrics = {
  requestsPerSecond: answers / took,
  p50Ms: times[Math.floor(times.length * 0.5)],
  p99Ms: times[Math.floor(times.length * 0.99)],
  serverCpuUs: cpuUs / answers,
};
for (const [name, value] of Object.entries(metrics)) console.log(`METRIC ${name} ${value}`);

// node http/load.mjs <connections> <rounds> <name=port>...: loads the routes of several http/server.mjs in turn, a second each, in a
// new random order every round, so that all of them see the machine fast and slow. Prints "METRIC name.metric value" lines.
import autocannon from 'autocannon';
import { shuffled } from '../lib/launch.mjs';

const [, , connections, rounds, ...servers] = process.argv;
const WARM_UP_S = 2;
const BURST_S = 1;

class Route {
  answers = 0;
  seconds = 0;
  cpuUs = 0;
  times = [];

  constructor(name, port) {
    this.name = name;
    this.base = `http://127.0.0.1:${port}`;
  }

  async cpuOfServer() {
    const { user, system } = await (await globalThis.fetch(`${this.base}/usage`)).json();
    return user + system;
  }

  /** Loads the route for so long; gives how long each answer took, in milliseconds, and in how many seconds they came. */
  async load(duration) {
    const times = [];
    const begin = performance.now();
    let last = begin; // autocannon itself ends at the next full second
    const instance = autocannon({ url: `${this.base}/count`, connections: Number(connections), duration });
    instance.on('response', (_client, _status, _bytes, ms) => {
      times.push(ms);
      last = performance.now();
    });
    const { errors, non2xx, timeouts } = await instance;
    if (errors + non2xx + timeouts > 0) throw new Error(`${errors} errors, ${non2xx} not 2xx, ${timeouts} timeouts`);
    return { times, took: (last - begin) / 1000 };
  }

  async measure() {
    const before = await this.cpuOfServer();
    const { times, took } = await this.load(BURST_S);
    this.cpuUs += (await this.cpuOfServer()) - before;
    this.answers += times.length;
    this.seconds += took;
    for (const ms of times) this.times.push(ms);
  }

  emit() {
    const times = this.times.sort((a, b) => a - b);
    const metrics = {
      requestsPerSecond: this.answers / this.seconds,
      p50Ms: times[Math.floor(times.length * 0.5)],
      p99Ms: times[Math.floor(times.length * 0.99)],
      serverCpuUs: this.cpuUs / this.answers,
    };
    for (const [metric, value] of Object.entries(metrics)) console.log(`METRIC ${this.name}.${metric} ${value}`);
  }
}

const routes = servers.map((server) => new Route(...server.split('=')));
for (const route of routes) await route.load(WARM_UP_S);
for (let round = 0; round < Number(rounds); round++) {
  for (const route of shuffled(routes)) await route.measure();
}
for (const route of routes) route.emit();

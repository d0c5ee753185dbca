// node http/load.mjs <connections> <rounds> <name=port>...: loads the routes of several http/server.mjs in turn, a second each, in a
// new random order every round, so that all of them see the machine fast and slow. Servers of one name are copies of one application,
// and count together. Prints "METRIC name.metric value" lines, and "METRIC name.byPlain.metric value" for how each compares with the
// plain service of the same round: the median of that, since a machine may be twice as fast from one round to the next.
import autocannon from 'autocannon';
import { shuffled } from '../lib/launch.mjs';
import { median } from '../lib/statistics.mjs';

const [, , connections, rounds, ...servers] = process.argv;
// As many first, so that the server is warm. Counted in requests: a starved server needs more seconds for them.
const WARM_UP = { amount: 10_000 };
const BURST = { duration: 1 };

/** What was seen of all copies of an application in one round. */
class Round {
  answers = 0;
  seconds = 0;
  cpuUs = 0;
  times = [];
}

/** The figures of several rounds together. */
function metricsOf(rounds) {
  const sum = (pick) => rounds.reduce((all, round) => all + pick(round), 0);
  const answers = sum((round) => round.answers);
  const times = rounds.flatMap((round) => round.times).sort((a, b) => a - b);
  return {
    requestsPerSecond: answers / sum(({ seconds }) => seconds),
    p50Ms: times[Math.floor(times.length * 0.5)],
    p99Ms: times[Math.floor(times.length * 0.99)],
    serverCpuUs: sum(({ cpuUs }) => cpuUs) / answers,
  };
}

class Route {
  constructor(name, port) {
    this.name = name;
    this.base = `http://127.0.0.1:${port}`;
  }

  async cpuOfServer() {
    const { user, system } = await (await globalThis.fetch(`${this.base}/usage`)).json();
    return user + system;
  }

  /** Loads the route; gives how many answers came in how many seconds, and how long each took, in milliseconds. */
  async load(extent) {
    const times = [];
    const connected = new Set();
    let answers = 0;
    const begin = performance.now();
    let last = begin; // autocannon itself ends at the next full second
    const instance = autocannon({ url: `${this.base}/count`, connections: Number(connections), ...extent });
    instance.on('response', (client, _status, _bytes, ms) => {
      // The first answer of a client waited for its connection as well.
      if (connected.has(client)) times.push(ms);
      connected.add(client);
      answers++;
      last = performance.now();
    });
    const { errors, non2xx, timeouts } = await instance;
    if (errors + non2xx + timeouts > 0) throw new Error(`${errors} errors, ${non2xx} not 2xx, ${timeouts} timeouts`);
    return { answers, times, took: (last - begin) / 1000 };
  }

  async measure(round) {
    const before = await this.cpuOfServer();
    const { answers, times, took } = await this.load(BURST);
    round.cpuUs += (await this.cpuOfServer()) - before;
    round.answers += answers;
    round.seconds += took;
    for (const ms of times) round.times.push(ms);
  }
}

const routes = servers.map((server) => new Route(...server.split('=')));
const measured = Object.fromEntries(routes.map(({ name }) => [name, []]));
for (const route of routes) await route.load(WARM_UP);
for (let i = 0; i < Number(rounds); i++) {
  for (const name in measured) measured[name].push(new Round());
  for (const route of shuffled(routes)) await route.measure(measured[route.name][i]);
}
const perRound = (name) => measured[name].map((round) => metricsOf([round]));
const plain = perRound('plain');
for (const name in measured) {
  const own = perRound(name);
  for (const [metric, value] of Object.entries(metricsOf(measured[name]))) {
    const ratios = own.map((metrics, i) => metrics[metric] / plain[i][metric]);
    console.log(`METRIC ${name}.${metric} ${value}`);
    console.log(`METRIC ${name}.byPlain.${metric} ${median(ratios)}`);
  }
}

// What is measured: lists of jobs. A job is run in a process of its own and gives metrics, which are kept under `id`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { launch, launchScenario, shuffled } from './launch.mjs';
import { IDLE_VARIANTS } from './idle-variants.mjs';
import { isInstalled } from './peers.mjs';

export const MESSAGE_SCENARIOS = [
  'seqCall',
  'seqCallAsync',
  'pipelined',
  'cast',
  'spawn',
  'pingpong',
  'restart',
  'fairness',
];
const ALS_SCENARIOS = ['seqCall', 'seqCallAsync', 'pipelined', 'cast'];
export const POPULATIONS = [1, 10, 1_000, 100_000];
export const DEPTHS = [0, 1_000, 1_000_000];
export const STARTED = 100_000;
export const FRAMEWORKS = ['express', 'fastify'];
export const HTTP_VARIANTS = ['plain', 'mutex', 'server'];
/** How long a rate is warmed up and measured, in milliseconds of CPU time. */
export const SLICES = { warm: 400, ms: 300 };
const LONG_LIMIT_MS = 120_000;

const scenarioJob = (id, scenario, options, limitMs) => ({
  id,
  scenario,
  run: () => launchScenario(id, scenario, options, limitMs),
});

const beamJob = (scenario, { ms }) => ({
  id: 'beam',
  scenario,
  run: () =>
    launch(
      'elixir',
      ['--erl', '+sbwt none +sbwtdcpu none +sbwtdio none +P 1000000', 'beam/bench.exs', scenario, String(ms)],
      30_000,
    ),
});

/** Each adapter through each scenario; adapters in a new random order each time. */
function messages(peers, options, scenarios = MESSAGE_SCENARIOS) {
  return scenarios.flatMap((scenario) =>
    shuffled(peers.filter(({ skip }) => !skip.includes(scenario))).map(({ id }) =>
      id === 'beam' ? beamJob(scenario, options) : scenarioJob(id, scenario, options),
    ),
  );
}

/** The same for the idioms, the floor and ours, inside of an AsyncLocalStorage. */
function als(peers, options, scenarios = ALS_SCENARIOS) {
  const compared = peers.filter(({ id }) => ['floor', 'ours', 'plain', 'promise-chain'].includes(id));
  return scenarios
    .filter((scenario) => ALS_SCENARIOS.includes(scenario))
    .flatMap((scenario) =>
      shuffled(compared).map(({ id }) => ({
        ...scenarioJob(id, scenario, { ...options, als: true }),
        scenario: `als.${scenario}`,
      })),
    );
}

/** What a message costs by the number of processes and of queued messages, a start by the number of processes, and memory. */
function scale(peers, options) {
  const has = (id) => peers.some((peer) => peer.id === id);
  const sized = (ids, scenario, sizes) =>
    ids.filter(has).flatMap((id) =>
      sizes.map((size) => ({
        ...scenarioJob(id, scenario, { ...options, size }, LONG_LIMIT_MS),
        scenario: `${scenario}.${size}`,
      })),
    );
  const memory = Object.keys(IDLE_VARIANTS).map((variant) => ({
    id: 'memory',
    scenario: variant,
    run: () => launchScenario('floor', 'idleMemory', { variant, size: 50_000 }, LONG_LIMIT_MS),
  }));
  return shuffled([
    ...['floor', 'ours-keyed']
      .filter(has)
      .map((id) => scenarioJob(id, 'population', { ...options, sizes: POPULATIONS }, LONG_LIMIT_MS)),
    ...sized(['floor', 'ours', 'plain', 'promise-chain'], 'depth', DEPTHS),
    ...sized(['floor', 'ours-keyed', 'ours-keyed-di'], 'starts', [STARTED]),
    ...memory,
  ]);
}

/** Two processes of the very same application differ by up to 5 %: so many of each are measured together. */
const COPIES = 2;

/** A route behind Express and Fastify, with each way to count: servers of their own, all of them up at once, the load in another process. */
function http(_peers, { quick }) {
  if (!isInstalled('autocannon')) return [];
  const variants = HTTP_VARIANTS.filter((variant) => variant !== 'mutex' || isInstalled('async-mutex'));
  return FRAMEWORKS.map((framework) => ({
    id: `http.${framework}`,
    scenario: 'http',
    run: () => loadRoutes(framework, variants, quick ? 1 : 7),
  }));
}

async function loadRoutes(framework, variants, rounds) {
  const copies = Array.from({ length: COPIES }, () => variants).flat();
  const servers = shuffled(copies).map((variant) => new RouteServer(framework, variant));
  try {
    const targets = await Promise.all(servers.map((server) => server.target()));
    if (targets.includes(undefined)) {
      return { metrics: {}, late: false, complaint: servers.map(({ complaint }) => complaint).join('') };
    }
    const limitMs = LONG_LIMIT_MS + rounds * targets.length * 2_000;
    return await launch(process.execPath, ['http/load.mjs', '32', String(rounds), ...targets], limitMs);
  } finally {
    for (const server of servers) server.stop();
  }
}

/** An application with the route, in a process of its own. */
class RouteServer {
  complaint = '';

  constructor(framework, variant) {
    this.variant = variant;
    this.process = spawn(process.execPath, ['http/server.mjs', framework, variant], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stderr.on('data', (data) => {
      this.complaint += data;
    });
    const ended = once(this.process, 'close').then(() => undefined);
    const listening = once(createInterface(this.process.stdout), 'line').then(([line]) => line);
    this.port = Promise.race([listening, ended]);
  }

  /** What the load generator calls it, once it listens; undefined when it never will. */
  async target() {
    const port = await this.port;
    return port === undefined ? undefined : `${this.variant}=${port}`;
  }

  stop() {
    this.process.stdin.end();
  }
}

export const SUITES = { messages, als, scale, http };

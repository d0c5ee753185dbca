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
    ...sized(['floor', 'ours-keyed'], 'population', POPULATIONS),
    ...sized(['floor', 'ours'], 'depth', DEPTHS),
    ...sized(['floor', 'ours-keyed', 'ours-keyed-di'], 'starts', [STARTED]),
    ...memory,
  ]);
}

/** A route behind Express and Fastify, with each way to count: the server in one process, the load in another. */
function http(_peers, { quick }) {
  if (!isInstalled('autocannon')) return [];
  const possible = HTTP_VARIANTS.filter((variant) => variant !== 'mutex' || isInstalled('async-mutex'));
  const requests = quick ? 5_000 : 40_000;
  return FRAMEWORKS.flatMap((framework) =>
    shuffled(possible).map((variant) => ({
      id: `http.${framework}.${variant}`,
      scenario: 'http',
      run: () => loadRoute(framework, variant, requests),
    })),
  );
}

async function loadRoute(framework, variant, requests) {
  const server = spawn(process.execPath, ['http/server.mjs', framework, variant], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  server.stderr.on('data', (data) => {
    complaint += data;
  });
  try {
    const ended = once(server, 'close').then(() => undefined);
    const listening = once(createInterface(server.stdout), 'line').then(([line]) => line);
    const port = await Promise.race([listening, ended]);
    if (port === undefined) return { metrics: {}, late: false, complaint };
    return await launch(process.execPath, ['http/load.mjs', port, '32', String(requests)], LONG_LIMIT_MS);
  } finally {
    server.stdin.end();
  }
}

export const SUITES = { messages, als, scale, http };

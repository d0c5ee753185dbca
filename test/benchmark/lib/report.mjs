import { goalsTable } from './goals.mjs';
import { describeMachine } from './machine.mjs';
import { human, median, table, times } from './statistics.mjs';
import { FRAMEWORKS, HTTP_VARIANTS } from './suites.mjs';

const KINDS = ['floor', 'idiom', 'library', 'beam'];
const best = (values) => Math.max(...values);
const least = (values) => Math.min(...values);

/** Columns: a metric, what it is called, and whether the ratio to the floor is shown. `scenario` is the one that gives it. */
const column = (scenario, metric, title, { ratio = true, pick = median } = {}) => ({
  scenario,
  metric,
  title,
  ratio,
  pick,
});
const calls = (suffix, pick) => [
  column('seqCall', `seqCall${suffix}`, 'one after another', { pick }),
  column('seqCallAsync', `seqCallAsync${suffix}`, 'same, async handler', { pick }),
  column('pipelined', `pipelined${suffix}`, '1 000 at once', { pick }),
];
const casts = (suffix, pick) => [
  column('cast', `cast100k${suffix}`, '100 000 casts + 1 call', { pick }),
  column('cast', `cast1M${suffix}`, '1 M casts + 1 call', { pick }),
  column('pingpong', `pingpong${suffix}`, 'ping-pong', { pick }),
];
const inAls = (columns) => columns.map((c) => ({ ...c, scenario: `als.${c.scenario}`, metric: `als.${c.metric}` }));
const plainly = (scenario, metrics, pick = median) =>
  metrics.map(([metric, title]) => column(scenario, metric, title, { ratio: false, pick }));

const TABLES = [
  {
    title: 'Calls: per second of CPU time, median (ratio to the floor)',
    columns: [
      ...calls('.cpu', median),
      column('pipelined', 'clients1000.cpu', '1 000 client processes', { ratio: false }),
    ],
  },
  { title: 'Calls: per second of wall time, best repetition', columns: calls('', best) },
  { title: 'Casts and ping-pong: messages per second of CPU time, median', columns: casts('.cpu', median) },
  { title: 'Casts and ping-pong: messages per second of wall time, best repetition', columns: casts('', best) },
  {
    title: 'Inside of an AsyncLocalStorage: per second of CPU time, median',
    columns: inAls([...calls('.cpu', median), ...casts('.cpu', median).slice(0, 2)]),
  },
  {
    title: 'Processes: median',
    columns: [
      column('spawn', 'spawnStop.cpu', 'start + stop per CPU second'),
      column('spawn', 'spawnStopFirst.cpu', 'the first ones of an application'),
      column('spawn', 'spawnOnly.cpu', 'starts per CPU second'),
      column('spawn', 'bytesPerIdle', 'bytes per idle process'),
      column('spawn', 'bytesAfterStop', 'bytes left after the stop', { ratio: false }),
    ],
  },
  {
    title: 'From a crash to the first answer of the next incarnation: µs, logging off unless said otherwise',
    columns: [
      column('restart', 'restartMedianUs', 'median of medians'),
      column('restart', 'restartP99Us', 'median of p99', { ratio: false }),
      column('restart', 'restartFirstUs', 'median of the first 100 crashes'),
      column('restart', 'restarts', 'crashes measured', { ratio: false }),
    ],
  },
  {
    title:
      'Beside a backlog of 1 M casts (100 000 where a queue is quadratic): ms, best repetition, because a preempted process looks like a stall',
    columns: plainly(
      'fairness',
      [
        ['enqueueMs', 'enqueue'],
        ['drainMs', 'drain'],
        ['maxStallMs', 'longest timer gap'],
        ['gapP99Ms', 'p99 timer gap'],
        ['callP99Ms', 'p99 call to another server'],
        ['callMaxMs', 'slowest'],
        ['ticks', 'timer ticks'],
      ],
      least,
    ),
  },
];

function peersTable(results, peers, { title, columns }) {
  const rows = [];
  for (const { id, name } of peers) {
    const cells = columns.map(({ scenario, metric, ratio, pick }) => {
      const values = results.values(id, metric);
      if (values.length === 0) return results.wasLate(id, scenario) ? 'not done in time' : '–';
      const value = pick(values);
      const base = results.values('floor', metric);
      return human(value) + (ratio && base.length > 0 ? ` (${times(value / pick(base))})` : '');
    });
    if (cells.some((cell) => cell !== '–')) rows.push([name, ...cells]);
  }
  if (rows.length === 0) return [];
  return ['', `### ${title}`, '', ...table(['', ...columns.map(({ title: head }) => head)], rows)];
}

const VARIANT_TITLES = {
  plain: 'a plain singleton service',
  mutex: 'a service guarded by async-mutex',
  server: 'a GenServer',
};

function httpTable(results) {
  const metrics = [
    ['requestsPerSecond', 'requests per second'],
    ['p50Ms', 'p50, ms'],
    ['p99Ms', 'p99, ms'],
    ['serverCpuUs', 'CPU of the server per request, µs'],
  ];
  const rows = FRAMEWORKS.flatMap((framework) =>
    HTTP_VARIANTS.filter((variant) => results.values(`http.${framework}`, `${variant}.p99Ms`).length > 0).map(
      (variant) => [
        `${framework}: ${VARIANT_TITLES[variant]}`,
        ...metrics.map(([metric]) => {
          const value = results.get(`http.${framework}`, `${variant}.${metric}`);
          return `${human(value)} (${times(results.byPlain(framework, variant, metric))})`;
        }),
      ],
    ),
  );
  if (rows.length === 0) return [];
  return [
    '',
    '### A Nest route, 32 connections on the loopback interface: median (median ratio to the plain service, round by round)',
    '',
    ...table(['', ...metrics.map(([, title]) => title)], rows),
  ];
}

/** Everything but the curves, in Markdown. */
export function report(results) {
  const { data } = results;
  const peers = [...data.peers].sort(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.id.localeCompare(b.id),
  );
  return `${[
    '# Results',
    '',
    describeMachine(data),
    '',
    'Missing (–): not offered by that peer, or not measured in this run.',
    ...goalsTable(results),
    ...TABLES.flatMap((spec) => peersTable(results, peers, spec)),
    ...httpTable(results),
    '',
    '### How each was used',
    '',
    ...peers.map(({ name, note }) => `- ${name}: ${note}.`),
    ...data.leftOut.map(({ id, why }) => `- ${id} was left out: ${why}.`),
  ].join('\n')}\n`;
}

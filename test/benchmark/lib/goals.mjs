// What the library is to reach, judged by the medians of a run. `must` is the line between pass and miss, `aim` the wish.
import { human, table, times } from './statistics.mjs';
import { DEPTHS, FRAMEWORKS, POPULATIONS } from './suites.mjs';

const NOT_MEASURED = { measured: '–', verdict: 'not measured' };
const judge = (measured, value, must, aim, better) => {
  if (!Number.isFinite(value)) return NOT_MEASURED;
  const verdict = better(value, aim) ? 'pass, at the aim' : better(value, must) ? 'pass' : '**MISS**';
  return { measured, verdict };
};
const atLeast = (value, bound) => value >= bound;
const atMost = (value, bound) => value <= bound;

/** A rate of ours against the floor's. */
const rate = (title, metric, must, aim, id = 'ours') => ({
  title,
  must: `≥ ${must} × floor`,
  aim: `≥ ${aim} ×`,
  judge: (results) => {
    const ratio = results.ratio(id, 'floor', metric);
    return judge(times(ratio), ratio, must, aim, atLeast);
  },
});

/** A figure of ours that is to stay small. */
const small = (title, metric, unit, must, aim, { id = 'ours', pick } = {}) => ({
  title,
  must: `≤ ${must}${unit}`,
  aim: `≤ ${aim}${unit}`,
  judge: (results) => {
    const value = pick === undefined ? results.get(id, metric) : pick(results.values(id, metric));
    return judge(`${human(value)}${unit}`, value, must, aim, atMost);
  },
});

const restart = {
  title: 'crash to the next incarnation answering, median',
  must: '≤ 70 µs or 2.5 × floor',
  aim: '≤ 1.5 ×',
  judge: (results) => {
    const us = results.get('ours', 'restartMedianUs');
    const ratio = results.ratio('ours', 'floor', 'restartMedianUs');
    if (!Number.isFinite(us)) return NOT_MEASURED;
    const verdict = ratio <= 1.5 ? 'pass, at the aim' : us <= 70 || ratio <= 2.5 ? 'pass' : '**MISS**';
    return { measured: `${human(us)} µs, ${times(ratio)}`, verdict };
  },
};

const route = (framework) => ({
  title: `HTTP route, ${framework}: requests per second through a GenServer`,
  must: '≥ 0.95 × plain service',
  aim: '≥ 0.98 ×',
  judge: (results) => {
    const ratio = results.byPlain(framework, 'server', 'requestsPerSecond');
    return judge(times(ratio), ratio, 0.95, 0.98, atLeast);
  },
});

/** What ours is to be faster than, row by row. The floor and the bare idioms are not in it: they do less. */
const PEERS = ['nact', 'xstate', 'effect', 'effect-fiber', 'async-mutex', 'p-queue'];
const beat = (title, metric, scenario, ids, what, { judged = true } = {}) => ({
  title: `${title}: faster than ${what}`,
  must: judged ? '> 1 ×' : '',
  aim: '',
  judge: (results) => {
    const ours = results.get('ours', metric);
    const rivals = ids
      .map((id) => ({ id, rate: results.wasLate(id, scenario) ? 0 : results.get(id, metric) }))
      .filter(({ rate: r }) => Number.isFinite(r))
      .sort((a, b) => b.rate - a.rate);
    if (!Number.isFinite(ours) || rivals.length === 0) return NOT_MEASURED;
    const [fastest] = rivals;
    const absent = ids.filter((id) => results.data.leftOut.some((left) => left.id === id));
    const without = absent.length > 0 ? `; without ${absent.join(', ')}` : '';
    return {
      measured: `${times(ours / fastest.rate)} of ${results.peer(fastest.id).name}${without}`,
      verdict: !judged ? 'reported' : ours > fastest.rate ? 'pass' : '**MISS**',
    };
  },
});
const CALLS = [
  ['calls one after another', 'seqCall.cpu', 'seqCall'],
  ['calls, async handler', 'seqCallAsync.cpu', 'seqCallAsync'],
  ['1 000 calls at once', 'pipelined.cpu', 'pipelined'],
];
const CASTS = [
  ['100 000 casts', 'cast100k.cpu', 'cast'],
  ['1 M casts', 'cast1M.cpu', 'cast'],
];

/**
 * What the last of a row of sizes costs, by the first. The growth of others stands beside it: what the garbage collector and the
 * caches of the CPU take, nobody can save. Without `judged` it is only reported.
 */
const growth = (title, metric, sizes, id, { judged = true, beside = { floor: 'the floor' } } = {}) => ({
  title,
  must: judged ? '≤ 1.2 ×' : '',
  aim: '',
  judge: (results) => {
    const of = (which) => results.growth(which, `${metric}.${sizes[0]}`, `${metric}.${sizes.at(-1)}`);
    if (!Number.isFinite(of(id))) return NOT_MEASURED;
    const others = Object.entries(beside).map(([other, name]) => `${name}: ${times(of(other))}`);
    const measured = `${times(of(id))} (${others.join(', ')})`;
    if (!judged) return { measured, verdict: 'reported' };
    return { measured, verdict: of(id) <= 1.2 ? 'pass' : '**MISS**' };
  },
});

const GOALS = [
  rate('call through the injected client, one after another', 'seqCall.cpu', 0.6, 0.85),
  rate('the same, async handler', 'seqCallAsync.cpu', 0.65, 0.9),
  rate('1 000 calls at once', 'pipelined.cpu', 0.6, 0.85),
  rate('1 M casts', 'cast1M.cpu', 0.6, 0.9),
  rate('100 000 casts', 'cast100k.cpu', 0.6, 0.9),
  rate('ping-pong', 'pingpong.cpu', 0.4, 0.7),
  rate('start + stop of dynamic servers without dependencies', 'spawnStop.cpu', 0.3, 0.5, 'ours-dynamic'),
  rate('the same, found by a key', 'spawnStop.cpu', 0.3, 0.5, 'ours-keyed'),
  rate('start + stop of keyed servers with three dependencies', 'spawnStop.cpu', 0.1, 0.2, 'ours-keyed-di'),
  small('bytes per idle keyed server, name and supervision entry', 'bytesPerIdle', '', 600, 400, { id: 'ours-keyed' }),
  small('bytes left per stopped server', 'bytesAfterStop', '', 16, 0, { id: 'ours-keyed' }),
  restart,
  small('longest timer gap beside 1 M waiting casts, best repetition', 'maxStallMs', ' ms', 10, 5, {
    pick: (values) => (values.length === 0 ? NaN : Math.min(...values)),
  }),
  ...FRAMEWORKS.map(route),
  ...[...CALLS, ...CASTS].map(([title, metric]) =>
    rate(`${title}, inside of an AsyncLocalStorage`, `als.${metric}`, 0.6, 0.8),
  ),
  ...[...CALLS, ...CASTS].map(([title, metric, scenario]) => beat(title, metric, scenario, PEERS, 'every peer')),
  ...CALLS.filter(([, metric]) => metric !== 'seqCallAsync.cpu').map(([title, metric, scenario]) =>
    beat(title, metric, scenario, ['beam'], "the BEAM's GenServer"),
  ),
  ...CASTS.map(([title, metric, scenario]) =>
    beat(title, metric, scenario, ['beam'], "the BEAM's GenServer", { judged: false }),
  ),
  growth('a call to one of 100 000 processes, by one of 1', 'callOneOf', POPULATIONS, 'ours-keyed'),
  growth('a cast to one of 100 000 processes, by one of 1', 'castOneOf', POPULATIONS, 'ours-keyed'),
  growth('a call to each of 100 000 in turn, by one of 1', 'callEachOf', POPULATIONS, 'ours-keyed', { judged: false }),
  growth('a cast to each of 100 000 in turn, by one of 1', 'castEachOf', POPULATIONS, 'ours-keyed', { judged: false }),
  growth('a call behind 1 M others, by behind none', 'callBehind', DEPTHS, 'ours', {
    beside: {
      floor: 'the floor',
      plain: 'a plain async method with 1 M calls in flight',
      'promise-chain': 'a promise chain',
    },
  }),
  growth('a cast behind 1 M others, by behind none', 'castBehind', DEPTHS, 'ours'),
];

/** The goals, each with what was measured and how it stands to that. */
export const judgeGoals = (results) => GOALS.map((goal) => ({ ...goal, ...goal.judge(results) }));

/** How many passed, missed, and were not measured. */
export function tally(judged) {
  const count = (test) => judged.filter(({ verdict }) => test(verdict)).length;
  return {
    passed: count((verdict) => verdict.startsWith('pass')),
    missed: count((verdict) => verdict === '**MISS**'),
    unknown: count((verdict) => verdict === 'not measured'),
  };
}

/** The same in Markdown. */
export function goalsTable(results) {
  const judged = judgeGoals(results);
  const { passed, missed, unknown } = tally(judged);
  return [
    '',
    '### Goals',
    '',
    ...table(
      ['', 'must', 'aim', 'measured', ''],
      judged.map(({ title, must, aim, measured, verdict }) => [title, must, aim, measured, verdict]),
    ),
    '',
    `${passed} passed, ${missed} missed, ${unknown} not measured.`,
  ];
}

// node readme.mjs: makes of the published results.json what is made of it: tables, charts, and the figures between the two marks
// of lib/docs/explanation/performance.md, with the one sentence between the same two marks of the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { DATA, writeResults } from './lib/files.mjs';
import { judgeGoals, tally } from './lib/goals.mjs';
import { describeMachine, wasIdle } from './lib/machine.mjs';
import { Results } from './lib/results.mjs';
import { human, table, times } from './lib/statistics.mjs';

const BEGIN = '<!-- benchmark: written by npm run bench:readme -->';
const END = '<!-- /benchmark -->';
const COLUMNS = [
  ['seqCall', 'seqCall.cpu', 'one after another'],
  ['seqCallAsync', 'seqCallAsync.cpu', 'async handler'],
  ['pipelined', 'pipelined.cpu', '1 000 at once'],
  ['cast', 'cast100k.cpu', '100 000 casts'],
  ['cast', 'cast1M.cpu', '1 M casts'],
];
const ROWS = ['plain', 'promise-chain', 'promise-chain-timeout', 'floor', 'xstate', 'p-queue', 'async-mutex', 'nact'];
ROWS.push('effect-fiber', 'effect', 'beam');

const folder = join(import.meta.dirname, 'results');
const results = new Results(JSON.parse(readFileSync(join(folder, DATA), 'utf8')));
writeResults(folder, results);
const root = join(import.meta.dirname, '../..');
const PAGE = 'lib/docs/explanation/performance.md';
/** The page is in the package, the results are not: the manifest says where readers find them. */
const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const RESULTS = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/test/benchmark/results`;

const rows = ROWS.filter((id) => results.peer(id) !== undefined).map((id) => [
  results.peer(id).name,
  ...COLUMNS.map(([scenario, metric]) =>
    results.wasLate(id, scenario) && results.values(id, metric).length === 0
      ? 'not done in time'
      : times(results.ratio(id, 'ours', metric)),
  ),
]);

/** A sentence when all of its figures were measured. */
const said = (figures, sentence) => (figures.every(Number.isFinite) ? [`- ${sentence(...figures)}`] : []);
const NAMES = { express: 'Express', fastify: 'Fastify' };
/** What is measured by the wall is not told when somebody else had the machine. */
const idle = wasIdle(results.data.machine);
const facts = [
  ...Object.keys(NAMES).flatMap((framework) => {
    const byPlain = (variant, metric) => results.byPlain(framework, variant, metric);
    if (!idle) {
      return said(
        [byPlain('server', 'serverCpuUs'), byPlain('mutex', 'serverCpuUs')],
        (cpu, mutex) =>
          `A route behind ${NAMES[framework]} that calls a server takes ${times(cpu)} the CPU time of one that calls a plain service; one ` +
          `guarded by async-mutex, ${times(mutex)}.`,
      );
    }
    return said(
      [
        byPlain('server', 'requestsPerSecond'),
        byPlain('server', 'p99Ms'),
        byPlain('mutex', 'requestsPerSecond'),
        byPlain('mutex', 'p99Ms'),
      ],
      (rate, p99, mutexRate, mutexP99) =>
        `A route behind ${NAMES[framework]} that calls a server answers ${times(rate)} the requests per second of one that calls a plain ` +
        `service, with ${times(p99)} its p99; one guarded by async-mutex, ${times(mutexRate)} and ${times(mutexP99)}.`,
    );
  }),
  ...said(
    [results.get('ours-keyed', 'bytesPerIdle'), results.get('ours-keyed', 'bytesAfterStop')],
    (idle, left) =>
      `An idle process of a keyed server takes ${Math.round(idle)} bytes with its key and its supervision entry, and leaves ` +
      `${Math.max(0, Math.round(left))} when it has stopped.`,
  ),
  ...said(
    ['ours-keyed', 'ours-keyed-di'].map((id) => 1e6 / results.get(id, 'spawnOnly.cpu')),
    (plain, injected) =>
      `The start of a keyed server takes ${human(plain)} µs of CPU time; with three injected singletons, ${human(injected)} µs.`,
  ),
  ...said(
    [
      results.get('ours', 'restartMedianUs'),
      results.ratio('ours', 'floor', 'restartMedianUs'),
      results.get('ours', 'restartFirstUs'),
      results.get('ours-logged', 'restartMedianUs'),
    ],
    (us, ratio, firstUs, loggedUs) =>
      `From a crash to the answer of the next incarnation, logging off: ${idle ? `${human(us)} µs, ` : ''}${times(ratio)} the ` +
      `floor's. A crash report costs ${times(loggedUs / us)} that in all; the first hundred crashes take ${times(firstUs / us)}.`,
  ),
];
const { passed, missed, unknown } = tally(judgeGoals(results));

const block = [
  BEGIN,
  '',
  ...table(['', ...COLUMNS.map(([, , title]) => title)], rows),
  '',
  ...facts,
  '',
  `Of its goals this run met ${passed}, missed ${missed}, and did not measure ${unknown}: ` +
    `[all figures](${RESULTS}/results.md), [what scale costs](${RESULTS}/scale.md).`,
  '',
  `Taken on: ${describeMachine(results.data)}`,
  '',
  END,
].join('\n');

/** What the README says of it: the shortest comparison with what a reader may have now. */
const ofCalls = (id) => results.ratio(id, 'ours', 'seqCall.cpu');
const sentences = said(
  [ofCalls('plain'), ofCalls('promise-chain-timeout'), results.get('ours-keyed', 'bytesPerIdle')],
  (plain, chain, idle) =>
    `Measured: in the CPU time of one call, an async method without any guard answers ${plain.toFixed(2)}, and a promise chain with a ` +
    `timeout ${chain.toFixed(2)}. An idle process takes ${Math.round(idle)} bytes. [More](${PAGE}).`,
).map((line) => line.replace('- ', ''));

await write(PAGE, block);
await write('README.md', [BEGIN, '', ...sentences, '', END].join('\n'));

/** Puts a block in place of the one between the two marks of a page. */
async function write(page, block) {
  const path = join(root, page);
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page} must hold the lines ${BEGIN} and ${END}, in this order.`);
  const written = text.slice(0, from) + block + text.slice(to + END.length);
  writeFileSync(path, await format(written, { ...(await resolveConfig(path)), parser: 'markdown' }));
}

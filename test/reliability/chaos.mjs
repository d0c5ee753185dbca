// Terminates applications under load, at random moments, and looks whether everybody was told what became of their call.
// node test/reliability/chaos.mjs [--runs 1000] [--parallel 4] [--seed 1] [--withinMs 400]
import { spawn } from 'node:child_process';
import { Agent, get } from 'node:http';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../dist/modules/testing/seeded-random.js';
import { inParallel, pause, percentile, readOptions, Report } from './support/program.mjs';

const options = readOptions({ runs: 1_000, parallel: 2 * availableParallelism(), seed: 1, withinMs: 400 });
const report = new Report('chaos');
const application = fileURLToPath(new URL('applications/terminated.mjs', import.meta.url));

/** What the servers of the application may take together: the sum of their `shutdownMs`. */
const DEADLINE_MS = 300 + 300 + 150 + 300;
const GRACE_MS = 1_000;
/** How much later than that an application is given up, so that the rest can be tried as well. */
const PATIENCE_MS = 10_000;
const CLIENTS = 6;

/** One request, read to its end: its status, or the error that the client got. */
function request(port, kind, id, agent) {
  return new Promise((resolve) => {
    const outgoing = get({ port, host: '127.0.0.1', path: `/call/${kind}/${id}`, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.complete ? response.statusCode : 'cut'));
      response.on('error', () => resolve('cut'));
    });
    outgoing.on('error', ({ code }) => resolve(code));
  });
}

/** Runs one application until it has been terminated, and gives what was seen of it. */
async function run(number) {
  const seed = options.seed * 1_000_003 + number;
  const random = seededRandom(seed);
  const atMs = random() * options.withinMs;
  const child = spawn(process.execPath, ['--no-warnings', application, String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const answers = new Map();
  let isGone = false;
  let errors = '';
  let last;
  let killedAt;
  let next = 0;
  let patience;
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: false })];

  /** Asks until nobody listens any more. */
  const keepAsking = async (port, client) => {
    while (!isGone) {
      const id = next++;
      const answer = await request(port, Math.floor(random() * 4), id, agents[client % 2]);
      answers.set(id, answer);
      if (answer === 'ECONNREFUSED') return;
      await pause(random() * 5);
    }
  };
  const asking = [];
  const hear = (message) => {
    if (message.is === 'hooked') {
      setTimeout(() => {
        killedAt = performance.now();
        child.kill('SIGTERM');
        patience = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS + GRACE_MS + PATIENCE_MS);
      }, atMs);
    } else if (message.is === 'listening') {
      for (let client = 0; client < CLIENTS; client++) asking.push(keepAsking(message.port, client));
    } else {
      last = message;
    }
  };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) hear(JSON.parse(line));
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
  const { code, signal, exitMs } = await new Promise((resolve) => {
    child.on('exit', (exitCode, exitSignal) =>
      resolve({ code: exitCode, signal: exitSignal, exitMs: performance.now() - killedAt }),
    );
  });
  isGone = true;
  clearTimeout(patience);
  await Promise.all(asking);
  for (const agent of agents) agent.destroy();
  if (child.stdout.readableEnded === false) await new Promise((resolve) => child.stdout.on('close', resolve));
  return { seed, atMs, answers, errors, last, code, signal, exitMs, wasListening: asking.length > 0 };
}

const totals = { accepted: 0, answered: 0, refused: 0, undrained: 0, listening: 0 };
const statuses = {};
const exits = [];
const problems = { unanswered: [], late: [], unclear: [], open: [], wrongEnd: [], silent: [] };
const note = (list, result, what) => list.push(`seed ${result.seed}, after ${Math.round(result.atMs)} ms: ${what}`);

await inParallel(options.runs, options.parallel, async (number) => {
  const result = await run(number);
  const { answers, errors, last, code, signal, exitMs, wasListening } = result;
  exits.push(exitMs);
  if (signal !== 'SIGTERM' || errors !== '')
    note(problems.wrongEnd, result, `code ${code}, signal ${signal}, ${errors}`);
  if (exitMs > DEADLINE_MS + GRACE_MS) note(problems.late, result, `${Math.round(exitMs)} ms`);
  if (wasListening) totals.listening++;
  if (last === undefined) {
    if (wasListening) note(problems.silent, result, 'no last words');
    return;
  }
  for (const id of last.accepted) {
    const answer = answers.get(id);
    statuses[answer] = (statuses[answer] ?? 0) + 1;
    if (typeof answer !== 'number') note(problems.unanswered, result, `request ${id}: ${answer}`);
  }
  totals.accepted += last.accepted.length;
  totals.answered += last.answered;
  totals.refused += last.refused;
  totals.undrained += last.undrained.length;
  for (const text of last.unclear) note(problems.unclear, result, text);
  for (const [id, kind] of last.open) note(problems.open, result, `call ${id} of kind ${kind}`);
});

const judge = (text, list) => {
  report.goal(text, list.length === 0, list.length);
  for (const line of list.slice(0, 5)) report.say(`       ${line}`);
};
report.say(
  `       ${totals.listening} of ${options.runs} were listening; requests accepted: ${totals.accepted}, by status ${JSON.stringify(statuses)}`,
);
report.say(
  `       calls from inside: ${totals.answered} answered, ${totals.refused} refused; servers that were not drained: ${totals.undrained}`,
);
report.goal(
  'something was terminated under load',
  totals.accepted > 0 && totals.answered > 0,
  `${totals.accepted} requests, ${totals.answered} calls`,
);
judge('requests that were accepted and not answered', problems.unanswered);
judge('calls from inside that never settled', problems.open);
judge('calls from inside that failed with no error of the library', problems.unclear);
judge('ends other than by the signal, or with something on stderr', problems.wrongEnd);
judge('applications that were up and had no last words', problems.silent);
const figure = `p50 ${Math.round(percentile(exits, 0.5))} ms, p99 ${Math.round(percentile(exits, 0.99))} ms, max ${Math.round(percentile(exits, 1))} ms`;
report.goal(`exits within the deadline of ${DEADLINE_MS} ms and a second`, problems.late.length === 0, figure);
for (const line of problems.late.slice(0, 5)) report.say(`       ${line}`);
report.end(
  `${options.runs} SIGTERMs, ${problems.unanswered.length + problems.open.length} of ${totals.accepted + totals.answered + totals.refused} accepted calls unanswered, exit ${figure}`,
);

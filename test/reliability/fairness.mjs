// Floods one server of an application, and looks whether the rest of it is still served.
// node test/reliability/fairness.mjs [--seconds 5] [--casts 1000000] [--counts]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { pause, percentile, readOptions, Report } from './support/program.mjs';

const options = readOptions({ seconds: 5, casts: 1_000_000, counts: false });
const report = new Report('fairness');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const application = fork(fileURLToPath(new URL('applications/flooded.mjs', import.meta.url)), {
  execArgv: ['--no-warnings'],
});
const [{ port }] = await once(application, 'message');
/** An application that starves altogether does not even hear that the flood is to end. */
const starvation = setTimeout(
  () => {
    report.goal('the application can be reached at all', false, 'it had to be killed');
    application.kill('SIGKILL');
  },
  options.seconds * 10_000 + 30_000,
);

/** How long the health route took to answer, in milliseconds. The whole answer counts. */
function requestHealth() {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: '/health', agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200 && body === 'ok') resolve(performance.now() - begin);
        else reject(new Error(`health answered ${response.statusCode} ${body}`));
      });
    });
    request.on('error', reject);
  });
}

/** Lets the application flood itself, and asks for its health meanwhile. Only requests made during the flood count. */
async function during(flood) {
  const answeredMs = [];
  let isFlooding = false;
  let result;
  const finished = new Promise((resolve) => {
    application.on('message', function listener(message) {
      if (message.is !== 'done') isFlooding = message.is === 'flooding';
      else {
        application.off('message', listener);
        result = message;
        resolve();
      }
    });
  });
  application.send({ flood, ms: options.seconds * 1_000, casts: options.casts });
  while (result === undefined) {
    const counts = isFlooding;
    const ms = await requestHealth();
    if (counts) answeredMs.push(ms);
    await pause(2);
  }
  await finished;
  return { ...result, answeredMs };
}

const ms = (values, share) => `${percentile(values, share).toFixed(2)} ms`;
const figures = (values) => `p50 ${ms(values, 0.5)}, p99 ${ms(values, 0.99)}, max ${ms(values, 1)} of ${values.length}`;
const NAMES = {
  none: 'without a flood',
  itself: 'a server that floods itself',
  casts: `${options.casts} casts at one server`,
};

await requestHealth();
const last = [];
for (const flood of ['none', 'itself', 'casts']) {
  const { answeredMs, late, unhindered, handled } = await during(flood);
  const name = NAMES[flood];
  if (flood === 'none') {
    report.note(`${name}: a 10 ms timer is late by`, figures(late), 'what the machine gives');
    report.note(`${name}: health answers in`, figures(answeredMs), 'what the machine gives');
    continue;
  }
  report.say(`       ${name}: ${Math.round(handled / options.seconds)} messages handled a second`);
  report.goal(`${name}: timers that fired before the flood was over`, late.length > 0, late.length);
  report.goal(`${name}: requests answered before the flood was over`, answeredMs.length > 0, answeredMs.length);
  if (options.counts) continue;
  report.note(
    `${name}: a 10 ms timer is late by`,
    figures(unhindered),
    'without the time in which the machine ran others',
  );
  report.goal(`${name}: a 10 ms timer is late by at most 5 ms (p99)`, percentile(late, 0.99) <= 5, figures(late));
  report.goal(`${name}: health answers within 20 ms (p99)`, percentile(answeredMs, 0.99) <= 20, figures(answeredMs));
  last.push(`${flood}: timer late by ${ms(late, 0.99)}, health in ${ms(answeredMs, 0.99)}`);
}
clearTimeout(starvation);
agent.destroy();
application.disconnect();
await once(application, 'exit');
report.end(
  options.counts ? 'timers and requests are served during a flood' : `p99 under a flood of ${last.join('; of ')}`,
);

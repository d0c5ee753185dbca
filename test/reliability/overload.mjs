// Sends ten times what a server with a bounded mailbox can serve, and looks at what becomes of the rest.
// node test/reliability/overload.mjs [--seconds 60] [--times 10] [--limit 1000] [--payload 1024] [--counts]
import {
  GenServerBase,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  noReply,
  ok,
  OverloadedError,
  provideGenServer,
  reply,
} from 'nestjs-genserver';
import { boot, rootModule, server } from './support/application.mjs';
import { heapInUse, MB } from './support/heap.mjs';
import { pause, percentile, readOptions, Report, turn } from './support/program.mjs';

const options = readOptions({ seconds: 60, times: 10, limit: 1_000, payload: 1_024, counts: false });
const report = new Report('overload');
/** What one message may need besides its payload. */
const ENVELOPE_BYTES = 1_024;
/** What the heap may grow by for other reasons: the program's own figures, for one. */
const SLACK_BYTES = 4 * MB;
const SERVICE_MS = 1;
/** A sender that sends for long in one turn would measure itself. */
const MOST_PER_TURN = 30;
const OVERFLOWS = ['reject', 'drop_newest', 'drop_oldest'];

const handled = Object.fromEntries(OVERFLOWS.map((overflow) => [overflow, { calls: 0, casts: 0, infos: 0 }]));

/** Takes a millisecond for each message, without keeping the thread busy. */
class Desk extends GenServerBase {
  init(overflow) {
    return ok(overflow);
  }
  async serve(kind, result) {
    await new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
    handled[this.state][kind]++;
    return result;
  }
  ask(_payload) {
    return this.serve('calls', reply('served'));
  }
  tell(_payload) {
    return this.serve('casts', noReply());
  }
  hear(_message) {
    return this.serve('infos', noReply());
  }
}
server(Desk, { ask: HandleCall(), tell: HandleCast(), hear: HandleInfo('hear') }, { callTimeoutMs: Infinity });

const { app, runtime, world, clients } = await boot(
  rootModule({
    providers: OVERFLOWS.map((overflow) =>
      provideGenServer(Desk, { name: overflow, args: [overflow], maxMailbox: { limit: options.limit, overflow } }),
    ),
    clients: OVERFLOWS.map((overflow) => getGenServerToken(Desk, overflow)),
  }),
);

/** How many messages a second it serves when they come one after another. */
async function serviceRate(client, seconds) {
  const until = performance.now() + seconds * 1_000;
  let served = 0;
  const begin = performance.now();
  while (performance.now() < until) {
    await client.ask(null);
    served++;
  }
  return (served / (performance.now() - begin)) * 1_000;
}

/** Sends to one desk for so long, waits until it has nothing left to do, and gives what was counted on both sides. */
async function overload(overflow, client, seconds) {
  const desk = [...world.runtime.processes()].find(({ pid }) => pid === runtime.whereis(overflow));
  const rate = await serviceRate(client, Math.min(2, seconds / 2));
  const counted = (handled[overflow] = { calls: 0, casts: 0, infos: 0 });
  const events = { calls: 0, casts: 0, infos: 0 };
  let totals = { calls: 0, casts: 0, infos: 0 };
  const listening = runtime.events$.subscribe((event) => {
    if (event.type !== 'gen_server.message_shed' || event.pid !== desk.pid) return;
    events[`${event.kind}s`]++;
    ({ totals } = event);
  });
  const sent = { calls: 0, casts: 0, infos: 0 };
  const outcomes = { served: 0, refused: 0, other: 0 };
  const refusalsMs = [];
  let number = 0;
  const payload = () => String(number++).padEnd(options.payload);

  const ask = async () => {
    sent.calls++;
    const at = performance.now();
    try {
      await client.ask(payload());
      outcomes.served++;
    } catch (error) {
      // Under the other two policies a call may have waited for long before it had to make room.
      if (overflow === 'reject') refusalsMs.push(performance.now() - at);
      outcomes[error instanceof OverloadedError ? 'refused' : 'other']++;
    }
  };
  const tell = () => {
    sent.casts++;
    client.tell(payload());
  };
  const hear = () => {
    sent.infos++;
    runtime.send(overflow, { type: 'hear', payload: payload() });
  };
  const kinds = [() => void ask(), tell, hear];

  const before = await heapInUse();
  const looks = [0.3, 0.6, 0.9].map((share) => share * seconds * 1_000);
  let mostBytes = 0;
  let longest = 0;
  let total = 0;
  const begin = performance.now();
  // However slow the machine is: not before there was more than can wait.
  for (let passed = 0; passed < seconds * 1_000 || total < 2 * options.limit; passed = performance.now() - begin) {
    // What is due by now; what the sender cannot send in a short turn goes into the next.
    const due = Math.min(Math.ceil((passed / 1_000) * rate * options.times) - total, MOST_PER_TURN);
    for (let at = 0; at < due; at++) kinds[total++ % kinds.length]();
    longest = Math.max(longest, desk.queueLength);
    await pause(1);
    if (passed < looks[0]) continue;
    looks.shift();
    mostBytes = Math.max(mostBytes, await heapInUse());
  }
  const tookS = (performance.now() - begin) / 1_000;
  const goodput = (counted.calls + counted.casts + counted.infos) / tookS;
  while (desk.queueLength > 0) await turn();
  await ask(); // behind what was in hand
  listening.unsubscribe();
  const offered = total / tookS;
  return {
    rate,
    offered,
    goodput,
    sent,
    counted,
    events,
    totals,
    outcomes,
    refusalsMs,
    longest,
    growth: mostBytes - before,
  };
}

const print = (counts) => Object.values(counts).join(' + ');
const KINDS = ['calls', 'casts', 'infos'];
const bound = options.limit * (options.payload + ENVELOPE_BYTES) + SLACK_BYTES;
let worst = 0;
let refusalP99 = NaN;
let shed = 0;
let miscounted = 0;
for (const [index, overflow] of OVERFLOWS.entries()) {
  const result = await overload(overflow, clients[index], options.seconds / OVERFLOWS.length);
  const { rate, offered, goodput, sent, counted, events, totals, outcomes, refusalsMs, longest, growth } = result;
  report.say(
    `       ${overflow}: serves ${Math.round(rate)}/s alone; offered ${Math.round(offered)}/s, served ${Math.round(goodput)}/s`,
  );
  const all = KINDS.every((kind) => sent[kind] === counted[kind] + totals[kind] && events[kind] === totals[kind]);
  if (!all) miscounted++;
  const callers = outcomes.other === 0 && outcomes.served === counted.calls && outcomes.refused === totals.calls;
  report.goal(
    `${overflow}: sent = handled + shed, by kind, and an event for each`,
    all,
    `${print(sent)} = ${print(counted)} + ${print(totals)}, events ${print(events)}`,
  );
  report.goal(
    `${overflow}: callers were told what became of their call`,
    callers,
    `${outcomes.served} served, ${outcomes.refused} refused, ${outcomes.other} otherwise`,
  );
  report.goal(`${overflow}: something was shed`, print(totals) !== '0 + 0 + 0', print(totals));
  report.goal(`${overflow}: longest queue, at most ${options.limit}`, longest <= options.limit, longest);
  report.goal(
    `${overflow}: heap growth, at most ${(bound / MB).toFixed(1)} MB`,
    growth <= bound,
    `${(growth / MB).toFixed(2)} MB`,
  );
  worst = Math.max(worst, growth);
  shed += totals.calls + totals.casts + totals.infos;
  if (options.counts) continue;
  report.goal(
    `${overflow}: offered, at least 9 times what it serves`,
    offered >= 9 * goodput,
    (offered / goodput).toFixed(1),
  );
  report.note(
    `${overflow}: served, of what it serves alone`,
    `${((goodput / rate) * 100).toFixed(0)} %`,
    'the sender takes its part of the same thread',
  );
  if (overflow !== 'reject') continue;
  refusalP99 = percentile(refusalsMs, 0.99);
  const figure = `p50 ${percentile(refusalsMs, 0.5).toFixed(3)} ms, p99 ${refusalP99.toFixed(3)} ms, max ${percentile(refusalsMs, 1).toFixed(3)} ms`;
  report.goal('a refused call fails within 1 ms (p99)', refusalP99 <= 1, figure);
}
await app.close();
report.end(
  `${shed} messages shed, ${miscounted} counts that do not add up; heap grew by ${(worst / MB).toFixed(2)} MB at most; ` +
    (options.counts ? 'no times taken' : `refused calls fail in ${refusalP99.toFixed(3)} ms (p99)`),
);

// One process per key, a great many of them: started, asked, and gone again when idle.
// node test/reliability/scale.mjs [--processes 100000] [--rounds 2] [--atATime 1000]
import { GenServerBase, getDynamicSupervisorToken, HandleCall, ok, reply } from 'nestjs-genserver';
import { boot, rootModule, server } from './support/application.mjs';
import { heapInUse, MB } from './support/heap.mjs';
import { handles, handlesBeyond, leftIn, objectsOnHeap, printCounts, tablesOf } from './support/leftovers.mjs';
import { inParallel, readOptions, Report, turn } from './support/program.mjs';
import { SkippingClock } from './support/skipping-clock.mjs';

const options = readOptions({ processes: 100_000, rounds: 2, atATime: 1_000 });
const report = new Report('scale');
/** Nobody waits for ten minutes: they are left out when every process is there. */
const IDLE_MS = 600_000;
const clock = new SkippingClock();
const handlesBefore = handles();

class Cart extends GenServerBase {
  init(owner) {
    return ok({ owner, items: 0 });
  }
  add() {
    const state = { owner: this.state.owner, items: this.state.items + 1 };
    return reply(state.owner, state);
  }
}
server(
  Cart,
  { add: HandleCall() },
  { start: 'on_demand', idleMs: IDLE_MS, supervisor: { maxChildren: options.processes } },
);

let application = await boot(
  rootModule({ options: { clock }, providers: [Cart], clients: [getDynamicSupervisorToken(Cart)] }),
);
let wrong = 0;

/** Starts so many carts and asks each, then waits until the last has gone. */
async function round(processes) {
  const [carts] = application.clients;
  const begin = performance.now();
  await inParallel(processes, options.atATime, async (key) => {
    const cart = await carts.getOrStart(key, `owner of ${key}`);
    if ((await cart.add()) !== `owner of ${key}`) wrong++;
  });
  const startedMs = performance.now() - begin;
  const most = carts.countChildren().active;
  const bytes = await heapInUse();
  const idleSince = performance.now();
  clock.skip(IDLE_MS);
  while (carts.countChildren().active > 0) await turn();
  return { most, bytes, startedMs, passivatedMs: performance.now() - idleSince };
}

// What is made once, whatever the number: code, tables, the modules of Nest.
await round(Math.min(options.processes, 2_000));
await heapInUse();
const tablesBefore = tablesOf(application.world);
const before = await heapInUse();
let most = Infinity;
for (let at = 0; at < options.rounds; at++) {
  const result = await round(options.processes);
  most = Math.min(most, result.most);
  const each = (result.bytes - before) / result.most;
  report.say(
    `       round ${at + 1}: ${options.processes} started and asked in ${Math.round(result.startedMs)} ms, ` +
      `gone in ${Math.round(result.passivatedMs)} ms; ` +
      `${result.most} alive at once, ${Math.round(each)} bytes each`,
  );
}
const after = await heapInUse();
const growth = (after / before - 1) * 100;
const tablesAfter = Object.entries(tablesOf(application.world)).filter(([name, count]) => count !== tablesBefore[name]);

report.goal('processes alive at once, in the round with the fewest', most === options.processes, most);
report.goal('answers of another process', wrong === 0, wrong);
report.goal('heap afterwards, compared with before, within 5 %', growth <= 5, `${growth.toFixed(2)} %`);
report.goal('entries in tables that were not there before', tablesAfter.length === 0, printCounts(tablesAfter));
await application.app.close();
const left = leftIn(application.world);
report.goal('entries in tables when the application is closed', left.length === 0, printCounts(left));
application = undefined;
await heapInUse();
const objects = objectsOnHeap();
report.goal(
  'objects on the heap when it is forgotten',
  objects.every(([, count]) => count === 0),
  printCounts(objects),
);
const handlesLeft = handlesBeyond(handlesBefore);
report.goal('handles left', handlesLeft.length === 0, handlesLeft.join(', ') || 'none');
report.end(
  `${options.rounds} x ${options.processes} keyed processes, ${most} alive at once; heap ${(before / MB).toFixed(1)} MB before, ` +
    `${(after / MB).toFixed(1)} MB after (${growth >= 0 ? '+' : ''}${growth.toFixed(2)} %)`,
);

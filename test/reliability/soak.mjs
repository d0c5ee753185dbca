// Does everything the library can do, over and over, and looks whether anything stays.
// node test/reliability/soak.mjs [--minutes 10] [--sampleS 5] [--turns 0] [--only restarts,names,monitors,…,applications]
import {
  Down,
  GenServerBase,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  noReply,
  ok,
  ProcessGroups,
  provideGenServer,
  PubSub,
  PubSubModule,
  reply,
  replyStream,
  TaskSupervisor,
} from 'nestjs-genserver';
import { boot, rootModule, server } from './support/application.mjs';
import { heapInUse, MB, slopeMBPerHour } from './support/heap.mjs';
import { handles, handlesBeyond, leftIn, objectsOnHeap, printCounts, tablesOf } from './support/leftovers.mjs';
import { pause, readOptions, Report, turn } from './support/program.mjs';

const options = readOptions({ minutes: 10, sampleS: 5, turns: 0, only: '' });
/** A few turns, whatever time they take: too short to tell a slope, long enough to find what stays. */
const isShort = options.turns > 0;
const report = new Report('soak');
const SEVERAL = 20;

class Frail extends GenServerBase {
  init() {
    return ok(0);
  }
  pid() {
    return reply(this.self.pid);
  }
  crash() {
    throw new Error('boom');
  }
  async rejects() {
    await null;
    throw new Error('boom');
  }
}
server(Frail, { pid: HandleCall(), crash: HandleCast(), rejects: HandleCall() });

/** Does as it is told, with everything that a process can do as itself. */
class Worker extends GenServerBase {
  init() {
    return ok({ ticks: 0, downs: 0, news: 0, lastDown: undefined });
  }
  watch(pids) {
    const refs = pids.map((pid) => this.self.monitor(pid));
    refs.forEach((ref, at) => at % 2 === 0 && this.self.demonitor(ref));
    return reply(refs.length);
  }
  /** Relations itself to somebody who stays, and unties itself. */
  meet(pid) {
    const ref = this.self.monitor(pid);
    this.self.link(pid);
    this.self.unlink(pid);
    return reply(this.self.demonitor(ref));
  }
  down() {
    return noReply({ ...this.state, downs: this.state.downs + 1 });
  }
  arm(count) {
    for (let at = 0; at < count; at++) {
      const timer = this.self.sendAfter(this.self.pid, 'tick', 1 + (at % 5));
      if (at % 2 === 0) this.self.cancelTimer(timer);
    }
    this.self.sendAfter('nobody', 'tick', 1);
    return reply(null);
  }
  /** Timers that are far from due when the application is closed. */
  armForLong() {
    this.self.sendAfter(this.self.pid, 'tick', 600_000);
    this.self.sendAfter('nobody', 'tick', 600_000);
    return reply(null).timeout(600_000);
  }
  tick() {
    return noReply({ ...this.state, ticks: this.state.ticks + 1 });
  }
  async work() {
    const done = await this.self.task(() => turn().then(() => 'done'));
    void this.self.task(() => Promise.reject(new Error('boom'))).then(undefined, () => undefined);
    void this.self
      .task((signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)))
      .shutdown(1);
    return reply(done);
  }
  items(count, failsAt) {
    return replyStream(async function* () {
      for (let item = 0; item < count; item++) {
        if (item === failsAt) throw new Error('boom');
        await null;
        yield item;
      }
    });
  }
  subscribe(topic) {
    this.self.subscribe(topic);
    return reply(null);
  }
  unsubscribe(topic) {
    this.self.unsubscribe(topic);
    return reply(null);
  }
  heard() {
    return noReply({ ...this.state, news: this.state.news + 1 });
  }
  async slow(ms) {
    await pause(ms);
    return reply(this.self.signal.aborted);
  }
  count() {
    return reply(this.state);
  }
}
const workerCalls = [
  'watch',
  'meet',
  'arm',
  'armForLong',
  'work',
  'items',
  'subscribe',
  'unsubscribe',
  'slow',
  'count',
];
server(Worker, {
  ...Object.fromEntries(workerCalls.map((name) => [name, HandleCall()])),
  down: HandleInfo(Down),
  tick: HandleInfo('tick'),
  heard: HandleInfo(),
});

class Session extends GenServerBase {
  init(owner) {
    return ok({ owner });
  }
  owner() {
    return reply(this.state.owner);
  }
}
server(Session, { owner: HandleCall() }, { start: 'on_demand', idleMs: 5, supervisor: { maxRestarts: 1e9 } });

/** The name of a server that nothing happens to. */
const ANCHOR = 'anchor';

const CLIENTS = [
  getGenServerToken(Frail),
  getGenServerToken(Worker),
  getDynamicSupervisorToken(Session),
  PubSub,
  ProcessGroups,
  TaskSupervisor,
];
const SERVERS = [Frail, Worker, Session, provideGenServer(Frail, { name: ANCHOR })];
const modules = () => ({ imports: [PubSubModule.forRoot()], providers: SERVERS, clients: CLIENTS });
const MAIN = rootModule(modules());
/** Another application, in the same Node process, that lives for a moment only. */
const OTHER = rootModule({
  ...modules(),
  providers: [...SERVERS, provideGenServer(Frail, { name: 'twin', restart: 'temporary' })],
});

const done = { turns: 0, restarts: 0, starts: 0, calls: 0, streams: 0, tasks: 0, applications: 0 };
let serial = 0;

const rejects = async (promise) => {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  if (error === undefined) throw new Error('It was to fail.');
};

const activities = {
  async restarts({ runtime, clients: [frail] }) {
    for (let at = 0; at < SEVERAL; at++) {
      const before = await frail.pid();
      const { down } = runtime.monitor(Frail);
      if (at % 2 === 0) frail.crash();
      else await rejects(frail.rejects());
      await down;
      const after = await frail.pid();
      if (after.id !== before.id || after.incarnation <= before.incarnation) throw new Error('It was not restarted.');
    }
    done.restarts += SEVERAL;
  },
  async names({ runtime }) {
    const names = Array.from({ length: SEVERAL }, () => `name ${serial++}`);
    await Promise.all(names.map((name) => runtime.start(Frail, { name })));
    await rejects(runtime.start(Frail, { name: names[0] }));
    await Promise.all(names.map((name) => runtime.call(name, 'pid')));
    await Promise.all(names.map((name) => runtime.client(name).pid()));
    await Promise.all(names.map((name) => runtime.stop(name)));
    await rejects(runtime.call(names[0], 'pid'));
    done.starts += SEVERAL;
  },
  async monitors({ runtime, clients: [, worker] }) {
    const pids = await Promise.all(Array.from({ length: SEVERAL }, () => runtime.start(Frail)));
    await worker.watch(pids);
    await worker.meet(runtime.whereis(ANCHOR));
    runtime.monitor(ANCHOR).demonitor();
    runtime.down$(ANCHOR).subscribe().unsubscribe();
    const watches = pids.map((pid) => runtime.monitor(pid));
    watches[0].demonitor();
    const observed = runtime.down$(pids[1]).subscribe();
    pids.forEach((pid, at) => (at % 2 === 0 ? runtime.exit(pid, 'kill') : runtime.cast(pid, 'crash')));
    await Promise.all(watches.slice(1).map(({ down }) => down));
    observed.unsubscribe();
    done.starts += SEVERAL;
  },
  async timers({ clients: [, worker] }) {
    await worker.arm(SEVERAL);
    await Promise.all(
      Array.from({ length: SEVERAL }, (_, at) => worker.with({ timeoutMs: 1_000 + ((serial + at) % 97) }).count()),
    );
    await rejects(worker.with({ timeoutMs: 1 }).slow(3));
    done.calls += SEVERAL + 2;
  },
  async streams({ clients: [, worker] }) {
    for await (const item of await worker.items(SEVERAL)) void item;
    for await (const item of await worker.items(SEVERAL)) if (item === 2) break;
    await rejects(
      (async () => {
        for await (const item of await worker.items(SEVERAL, 3)) void item;
      })(),
    );
    done.streams += 3;
  },
  async tasks({ clients: [, worker, , , , tasks] }) {
    await worker.work();
    await tasks.async(() => turn());
    await rejects(tasks.async(() => Promise.reject(new Error('boom'))).await());
    for await (const outcome of tasks.asyncStream([1, 2, 3, 4], (item) => turn().then(() => item))) void outcome;
    done.tasks += 9;
  },
  async keys({ runtime, clients: [, , sessions] }) {
    const keys = Array.from({ length: SEVERAL }, () => serial++);
    await Promise.all(
      keys.map(async (key) => {
        const session = await sessions.getOrStart(key, key);
        if ((await session.owner()) !== key) throw new Error('It was the session of another.');
      }),
    );
    await sessions.startChild({ args: [serial] });
    const { down } = runtime.monitor({ server: Session, key: keys.at(-1) });
    await down; // idle
    done.starts += SEVERAL + 1;
  },
  async topics({ runtime, clients: [, worker, , pubsub, groups] }) {
    const topic = `topic ${serial++}`;
    await worker.subscribe(topic);
    const stop = pubsub.listen(topic, () => undefined);
    const watching = pubsub.topic$(topic).subscribe();
    const pid = await runtime.start(Worker);
    await runtime.call(pid, 'subscribe', [topic]);
    await runtime.call(pid, 'meet', [runtime.whereis(ANCHOR)]);
    groups.join(pid, topic);
    pubsub.broadcast(topic, { hello: topic });
    await worker.unsubscribe(topic);
    stop();
    watching.unsubscribe();
    await runtime.stop(pid); // which leaves topic and group
    if (pubsub.topics().includes(topic) || groups.members(topic).length > 0) throw new Error('It is still subscribed.');
    done.starts += 1;
  },
  async nobody({ runtime }) {
    await rejects(runtime.call('nobody', 'pid'));
    runtime.cast('nobody', 'crash');
    const watch = runtime.monitor('nobody');
    await watch.down;
  },
};

/** To find out who does not clean up, some activities can be left out. */
const isWanted = (activity) => options.only === '' || options.only.split(',').includes(activity);

async function everything(application) {
  for (const [name, activity] of Object.entries(activities)) if (isWanted(name)) await activity(application);
  done.turns++;
}

/** Boots another application, uses it, and closes it in the middle of its work. */
async function another() {
  const application = await boot(OTHER);
  await everything(application);
  const [frail, worker, sessions] = application.clients;
  frail.crash();
  const cut = worker
    .with({ timeoutMs: 700_000 })
    .slow(5)
    .catch(() => undefined);
  await sessions.getOrStart('still there', 1);
  await worker.armForLong();
  await application.app.close();
  await cut;
  done.applications++;
  const left = leftIn(application.world);
  if (left.length > 0) leftovers.push(printCounts(left));
}

/** Waits until nothing is on its way any more and so many processes are left, and gives the tables. */
async function atRest({ world }, processCount) {
  for (let waits = 0; waits < 200; waits++) {
    const tables = tablesOf(world);
    if (tables.queued === 0 && tables.deadlines === 0 && tables.processes === processCount) return tables;
    await pause(5);
  }
  return tablesOf(world);
}

const handlesBefore = await (async () => {
  await heapInUse();
  return handles();
})();
const leftovers = [];
const tablesSince = new Set();
const samples = [];

/** The application that lives all the time. Gives what is left in its tables; nobody holds on to it afterwards. */
async function live() {
  const application = await boot(MAIN);
  const { processCount } = application.world.runtime;
  await everything(application);
  const tablesBefore = JSON.stringify(await atRest(application, processCount));
  const begin = performance.now();
  const durationMs = options.minutes * 60_000;
  let nextSample = 0;
  const isOver = (passed) => (isShort ? samples.length === options.turns : passed >= durationMs);
  for (let passed = 0; !isOver(passed); passed = performance.now() - begin) {
    await everything(application);
    if (isWanted('applications')) await another();
    if (passed < nextSample && !isShort) continue;
    nextSample = passed + options.sampleS * 1_000;
    const tables = JSON.stringify(await atRest(application, processCount));
    if (tables !== tablesBefore) tablesSince.add(tables);
    samples.push({ atMs: performance.now() - begin, bytes: await heapInUse() });
  }

  await application.app.close();
  return leftIn(application.world);
}

const left = await live();
const bytesAfter = await heapInUse();
const objects = objectsOnHeap();
const handlesLeft = handlesBeyond(handlesBefore);

const mb = ({ bytes }) => `${(bytes / MB).toFixed(2)} MB`;
report.say(
  `       ${Object.entries(done)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')}`,
);
report.say(
  `       heap: ${samples
    .filter((_, at) => at % Math.ceil(samples.length / 12) === 0)
    .map(mb)
    .join(', ')}; ${(bytesAfter / MB).toFixed(2)} MB when closed`,
);
report.goal(
  'tables at rest, compared with the beginning',
  tablesSince.size === 0,
  [...tablesSince].join(' ') || 'the same',
);
report.goal('entries in tables of other applications that were closed', leftovers.length === 0, leftovers[0] ?? 'none');
report.goal('entries in tables when the application is closed', left.length === 0, printCounts(left));
report.goal(
  'objects on the heap when it is forgotten',
  objects.every(([, count]) => count === 0),
  printCounts(objects),
);
report.goal('handles left', handlesLeft.length === 0, handlesLeft.join(', ') || 'none');
const remains = report.isMet ? 'nothing left' : 'something left';
if (isShort) {
  report.end(`${done.turns} turns, ${remains}`);
} else {
  // The first third is warm-up: the engine still compiles and lays out what is used.
  const warm = samples.slice(Math.ceil(samples.length / 3));
  const slope = slopeMBPerHour(warm);
  const minutes = ((warm.at(-1).atMs - warm[0].atMs) / 60_000).toFixed(1);
  const figure = `${slope.toFixed(2)} MB/h over ${minutes} min (${warm.length} samples)`;
  report.goal('heap slope after warm-up, at most 1 MB/h', slope <= 1, figure);
  report.end(`heap slope ${figure}, ${remains}`);
}

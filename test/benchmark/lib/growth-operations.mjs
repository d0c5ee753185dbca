// What the suite `growth` measures: operations whose cost must not depend on how many things there are. Each makes a population of
// `n` and gives `run`, which does `n` operations and is what is measured, and `end`, which takes everything down again.
import {
  childSpec,
  createWorld,
  DynamicSupervisor,
  GenServer,
  noReply,
  ok,
  Presence,
  reply,
  startDynamicSupervisor,
  startPartitionSupervisor,
  startSupervisor,
  stop,
  Supervisor,
  TaskSupervisor,
} from './subject-core.mjs';
import { keyedApplication, KeyedCounter } from './keyed-application.mjs';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const make = (n, item) => Array.from({ length: n }, (_, i) => item(i));

/** The same for every run: who goes through a list in its own order meets a linear search at its best or at its worst. */
function inRandomOrder(items) {
  const order = [...items];
  let seed = 1;
  for (let i = order.length - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    const j = (seed >>> 8) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** A server that does nothing until it is told to end, and lends its `self` to whoever calls. */
const actor = {
  label: 'actor',
  init: () => ok(null),
  handleCall(work, _from, state, self) {
    const result = work(self);
    return result instanceof Promise ? result.then((value) => reply(value, state)) : reply(result, state);
  },
  handleCast: (reason) => stop(reason),
  handleInfo: () => noReply(),
};

const newWorld = () => createWorld({ warnsOfSharedState: false, limits: { monitors: Infinity } });
const startActor = ({ runtime }) => GenServer.start(runtime, actor);
const startActors = (world, n) => Promise.all(make(n, () => startActor(world)));
/** Runs `work` with the `self` of a server, in one of its handlers. */
const within = ({ runtime }, pid, work) => GenServer.call(runtime, pid, work, { timeoutMs: Infinity });
const selfOf = (world, pid) => within(world, pid, (self) => self);
async function endAll({ runtime }, pids) {
  for (const pid of pids) GenServer.cast(runtime, pid, 'normal');
  while (runtime.processCount > 0) await turn();
}

// --- supervisors ----------------------------------------------------------------------------------------------------------

/** A supervisor with `n` children. */
async function supervised(n, { shape = () => ({}), ...options } = {}) {
  const { runtime } = newWorld();
  const source = runtime.servers.find(actor);
  const specOf = (i) => childSpec(source, {}, { id: `child ${i}`, ...shape(i) });
  const children = make(n, specOf);
  const pid = await startSupervisor(runtime, { label: 'growth', maxRestarts: Infinity, children, ...options });
  const ask = (request, ...args) => Supervisor[request](runtime, pid, ...args);
  return { runtime, specOf, ask, end: () => GenServer.stop(runtime, pid, 'shutdown') };
}
const ids = (n) => inRandomOrder(make(n, (i) => `child ${i}`));
const pidsOf = async (tree) => inRandomOrder((await tree.ask('whichChildren')).map(({ pid }) => pid));

/** Crashes `pids` one after the other, each when the supervisor has dealt with the one before. */
async function crashEach({ runtime, ask }, pids) {
  for (const pid of pids) {
    GenServer.cast(runtime, pid, 'crash');
    await ask('countChildren');
  }
}

async function dynamic(n, restart) {
  const { runtime } = newWorld();
  const pid = await startDynamicSupervisor(runtime, { label: 'growth', maxRestarts: Infinity });
  const source = runtime.servers.find(actor);
  const startChild = () => DynamicSupervisor.startChild(runtime, pid, { source, restart });
  const pids = [];
  for (let i = 0; i < n; i++) pids.push(await startChild());
  return { runtime, pid, pids: inRandomOrder(pids), startChild, end: () => GenServer.stop(runtime, pid, 'shutdown') };
}

async function tasks(n) {
  const { runtime } = newWorld();
  const pid = await TaskSupervisor.start(runtime);
  const startTask = () => TaskSupervisor.startChild(runtime, pid, () => new Promise(() => undefined));
  const pids = make(n, startTask);
  return { runtime, pid, pids: inRandomOrder(pids), startTask, end: () => GenServer.stop(runtime, pid, 'shutdown') };
}

const supervisors = {
  async 'Supervisor.startChild'(n) {
    const tree = await supervised(0);
    const run = async () => {
      for (let i = 0; i < n; i++) await tree.ask('startChild', tree.specOf(i));
    };
    return { run, end: tree.end };
  },
  async 'Supervisor.terminateChild + deleteChild'(n) {
    const tree = await supervised(n);
    const run = async () => {
      for (const id of ids(n)) {
        await tree.ask('terminateChild', id);
        await tree.ask('deleteChild', id);
      }
    };
    return { run, end: tree.end };
  },
  async 'Supervisor.terminateChild + restartChild'(n) {
    const tree = await supervised(n);
    const run = async () => {
      for (const id of ids(n)) {
        await tree.ask('terminateChild', id);
        await tree.ask('restartChild', id);
      }
    };
    return { run, end: tree.end };
  },
  async 'Supervisor: restart, one_for_one'(n) {
    const tree = await supervised(n);
    const pids = await pidsOf(tree);
    return { run: () => crashEach(tree, pids), end: tree.end };
  },
  async 'Supervisor: restart of the last, rest_for_one'(n) {
    const tree = await supervised(n, { strategy: 'rest_for_one' });
    const run = async () => {
      let { pid } = (await tree.ask('whichChildren')).at(-1);
      const { id } = pid;
      for (let i = 0; i < n; i++) {
        GenServer.cast(tree.runtime, pid, 'crash');
        await tree.ask('countChildren');
        pid = await tree.ask('terminateChild', `child ${n - 1}`).then(() => tree.ask('restartChild', `child ${n - 1}`));
        if (pid.id !== id) throw new Error('another child');
      }
    };
    return { run, end: tree.end };
  },
  async 'Supervisor: end of a temporary child'(n) {
    const tree = await supervised(n, { shape: () => ({ restart: 'temporary' }) });
    const pids = await pidsOf(tree);
    return { run: () => crashEach(tree, pids), end: tree.end };
  },
  async 'Supervisor: end of a significant child'(n) {
    const tree = await supervised(n + 1, {
      autoShutdown: 'all_significant',
      shape: () => ({ restart: 'transient', significant: true }),
    });
    const pids = (await tree.ask('whichChildren')).map(({ pid }) => pid).slice(0, n);
    const run = async () => {
      for (const pid of pids) {
        GenServer.cast(tree.runtime, pid, 'normal');
        await tree.ask('countChildren');
      }
    };
    return { run, end: tree.end };
  },
  async 'Supervisor.countChildren'(n) {
    const tree = await supervised(n);
    const run = async () => {
      for (let i = 0; i < n; i++) await tree.ask('countChildren');
    };
    return { run, end: tree.end };
  },
  async 'Supervisor: stop of all children'(n) {
    const tree = await supervised(n);
    return { run: tree.end, end: () => undefined };
  },
  async 'Supervisor: restart of all, one_for_all, per child'(n) {
    const tree = await supervised(n, { strategy: 'one_for_all' });
    const [pid] = await pidsOf(tree);
    return { run: () => crashEach(tree, [pid]), end: tree.end };
  },
  async 'DynamicSupervisor.startChild'(n) {
    const tree = await dynamic(0, 'permanent');
    const run = async () => {
      for (let i = 0; i < n; i++) await tree.startChild();
    };
    return { run, end: tree.end };
  },
  async 'DynamicSupervisor.terminateChild'(n) {
    const { runtime, pid, pids, end } = await dynamic(n, 'permanent');
    const run = async () => {
      for (const child of pids) await DynamicSupervisor.terminateChild(runtime, pid, child);
    };
    return { run, end };
  },
  async 'DynamicSupervisor: restart'(n) {
    const { runtime, pids, end } = await dynamic(n, 'permanent');
    const run = async () => {
      for (const child of pids) {
        GenServer.cast(runtime, child, 'crash');
        await turn();
      }
    };
    return { run, end };
  },
  async 'DynamicSupervisor: end of a temporary child'(n) {
    const { runtime, pids, end } = await dynamic(n, 'temporary');
    const run = async () => {
      for (const child of pids) {
        GenServer.cast(runtime, child, 'normal');
        await turn();
      }
    };
    return { run, end };
  },
  async 'DynamicSupervisor.countChildren'(n) {
    const { runtime, pid, end } = await dynamic(n, 'permanent');
    const run = () => {
      for (let i = 0; i < n; i++) DynamicSupervisor.countChildren(runtime, pid);
    };
    return { run, end };
  },
  async 'PartitionSupervisor.resize, per partition'(n) {
    const { runtime } = newWorld();
    const source = runtime.servers.find(actor);
    const partitions = await startPartitionSupervisor(runtime, { label: 'growth', source, partitions: n });
    const run = async () => {
      await partitions.resize(0);
      await partitions.resize(n);
    };
    return { run, end: () => partitions.stop() };
  },
  async 'TaskSupervisor.startChild'(n) {
    const { startTask, end } = await tasks(0);
    const run = () => {
      for (let i = 0; i < n; i++) startTask();
    };
    return { run, end };
  },
  async 'TaskSupervisor.terminateChild'(n) {
    const { runtime, pid, pids, end } = await tasks(n);
    const run = async () => {
      for (const task of pids) await TaskSupervisor.terminateChild(runtime, pid, task);
    };
    return { run, end };
  },
};
for (const ordered of [true, false]) {
  supervisors[`TaskSupervisor.asyncStream, ${ordered ? 'in order' : 'as they come'}`] = async (n) => {
    const world = newWorld();
    const supervisor = await TaskSupervisor.start(world.runtime);
    const owner = await startActor(world);
    const self = await selfOf(world, owner);
    const options = { ordered, maxConcurrency: Infinity };
    const run = async () => {
      let count = 0;
      for await (const _ of TaskSupervisor.asyncStreamNolink(
        self,
        supervisor,
        make(n, (i) => i),
        (i) => i,
        options,
      ))
        count++;
      if (count !== n) throw new Error(`${count} of ${n}`);
    };
    const end = async () => {
      await GenServer.stop(world.runtime, supervisor, 'shutdown');
      await endAll(world, [owner]);
    };
    return { run, end };
  };
}

// --- names, groups, topics, presences -------------------------------------------------------------------------------------

/** `n` processes, with their `self`. */
async function population(n) {
  const world = newWorld();
  const pids = await startActors(world, n);
  const selves = [];
  for (const pid of pids) selves.push(await selfOf(world, pid));
  return { ...world, pids, selves, end: () => endAll(world, pids) };
}

/** Something that each of `n` processes does once, after `prepare` was done with each. */
const each = (act, prepare) => async (n) => {
  const world = await population(n);
  const context = { ...world, presence: new Presence(world.pubsub) };
  context.unique = world.registries.create('unique', { keys: 'unique' });
  context.duplicate = world.registries.create('duplicate', { keys: 'duplicate' });
  if (prepare !== undefined) for (let i = 0; i < n; i++) prepare(context, world.selves[i], i, n);
  const order = prepare === undefined ? make(n, (i) => i) : inRandomOrder(make(n, (i) => i));
  const run = () => {
    for (const i of order) act(context, world.selves[i], i, n);
  };
  return { run, end: world.end };
};
/** Something that one process does `n` times, after it did `prepare` as often. */
const one = (act, prepare) => async (n) => {
  const world = await population(1);
  const [self] = world.selves;
  const context = { ...world, presence: new Presence(world.pubsub) };
  context.unique = world.registries.create('unique', { keys: 'unique' });
  context.duplicate = world.registries.create('duplicate', { keys: 'duplicate' });
  if (prepare !== undefined) for (let i = 0; i < n; i++) prepare(context, self, i, n);
  const order = prepare === undefined ? make(n, (i) => i) : inRandomOrder(make(n, (i) => i));
  const run = () => {
    for (const i of order) act(context, self, i, n);
  };
  return { run, end: world.end };
};
const once = (act) => (context, self, _i, n) => {
  if (context.isDone) return;
  context.isDone = true;
  act(context, self, n);
};
const ends =
  (kind, prepare, pick = (n) => n) =>
  async (n) => {
    const world = await population(pick(n));
    const context = { ...world, presence: new Presence(world.pubsub) };
    context.duplicate = world.registries.create('duplicate', { keys: 'duplicate' });
    for (let i = 0; i < n; i++) prepare(context, world.selves[i % world.selves.length], i);
    return { run: () => endAll(world, inRandomOrder(world.pids)), end: () => undefined };
  };

const registered = ({ duplicate }, self) => duplicate.register(self, 'key', 1);
const registeredUnique = ({ unique }, self, i) => unique.register(self, i, 1);
const joined = ({ groups }, self) => groups.join(self.pid, 'group');
const subscribed = ({ pubsub }, self) => pubsub.subscribe(self, 'topic');
const trackedAsKey = ({ presence }, self, i) => presence.track(self.pid, 'topic', `key ${i}`, i);
const trackedOnTopic = ({ presence }, self, i) => presence.track(self.pid, `topic ${i}`, 'key', i);
const trackedAsOne = ({ presence }, self) => presence.track(self.pid, 'topic', 'key', 1);

const registry = {
  'Registry.register, unique': each(registeredUnique),
  'Registry.register, one key, duplicate': each(registered),
  'Registry.register, one process, many keys': one(registeredUnique),
  'Registry.register, one process, one key': one(registered),
  'Registry.unregister, unique': each(({ unique }, self, i) => unique.unregister(self, i), registeredUnique),
  'Registry.unregister, one key, duplicate': each(
    ({ duplicate }, self) => duplicate.unregister(self, 'key'),
    registered,
  ),
  'Registry.unregister, one process, many keys': one(
    ({ unique }, self, i) => unique.unregister(self, i),
    registeredUnique,
  ),
  'Registry.updateValue': each(
    ({ unique }, self, i) => unique.updateValue(self, i, (value) => value + 1),
    registeredUnique,
  ),
  'Registry.lookup, unique': each(({ unique }, _self, i) => unique.lookup(i), registeredUnique),
  'Registry.whereisName': each(({ unique }, _self, i) => unique.whereisName(i), registeredUnique),
  'Registry.valuesOf': each(({ duplicate }, self) => duplicate.valuesOf(self.pid, 'key'), registered),
  'Registry.count': each(({ duplicate }) => duplicate.count(), registered),
  'Registry.match, per entry': each(
    once(({ duplicate }) => duplicate.match('key', () => true)),
    registered,
  ),
  'Registry.select, per entry': each(
    once(({ unique }) => unique.select()),
    registeredUnique,
  ),
  'Registry: end of an owner': ends('duplicate', registered),
  'Registry: end of an owner of many, per entry': ends(
    'duplicate',
    ({ duplicate }, self, i) => duplicate.register(self, i, 1),
    () => 1,
  ),
  'Registry.lock, in turn': async (n) => {
    const world = await population(n);
    const unique = world.registries.create('unique', { keys: 'unique' });
    const run = async () => {
      await Promise.all(world.selves.map((self) => unique.lock(self, 'key', () => undefined)));
    };
    return { run, end: world.end };
  },
  'groups.join': each(joined),
  'groups.leave': each(({ groups }, self) => groups.leave(self.pid, 'group'), joined),
  'groups.join + leave, one process in many': one(
    ({ groups }, self, i) => {
      groups.join(self.pid, i);
      groups.leave(self.pid, i);
    },
    (context, self, i) => context.groups.join(self.pid, `other ${i}`),
  ),
  'groups.leave, joined many times': one(({ groups }, self) => groups.leave(self.pid, 'group'), joined),
  'groups.monitor + demonitor': each(
    ({ groups }, self) => groups.demonitor(groups.monitor(self, 'watched').ref),
    joined,
  ),
  'groups.groups, of one with many members': each(({ groups }) => groups.groups(), joined),
  'groups: end of a member': ends('groups', joined),
  'PubSub.subscribe': each(subscribed),
  'PubSub.unsubscribe': each(({ pubsub }, self) => pubsub.unsubscribe(self, 'topic'), subscribed),
  'PubSub.unsubscribe, one process, many topics': one(
    ({ pubsub }, self, i) => pubsub.unsubscribe(self, `topic ${i}`),
    ({ pubsub }, self, i) => pubsub.subscribe(self, `topic ${i}`),
  ),
  'PubSub.listen + unlisten': one(
    ({ pubsub }) => pubsub.listen('topic', () => undefined)(),
    ({ pubsub }) => pubsub.listen('topic', () => undefined),
  ),
  'PubSub.broadcast, per subscriber': each(
    once(({ pubsub }) => pubsub.broadcast('topic', 'hello')),
    subscribed,
  ),
  'Presence.track, one process, many keys': one(trackedAsKey),
  'Presence.track, one process, many topics': one(trackedOnTopic),
  'Presence.track, many processes, one key': each(trackedAsOne),
  'Presence.track, many processes, keys of their own': each(trackedAsKey),
  'Presence.update, one process, many keys': one(
    ({ presence }, self, i) => presence.update(self.pid, 'topic', `key ${i}`, i + 1),
    trackedAsKey,
  ),
  'Presence.update, many processes, one key': each(
    ({ presence }, self, i) => presence.update(self.pid, 'topic', 'key', i),
    trackedAsOne,
  ),
  'Presence.getByKey': each(({ presence }, _self, i) => presence.getByKey('topic', `key ${i}`), trackedAsKey),
  'Presence.untrack, one process, key by key': one(
    ({ presence }, self, i) => presence.untrack(self.pid, 'topic', `key ${i}`),
    trackedAsKey,
  ),
  'Presence.untrack, many processes, one key': each(
    ({ presence }, self) => presence.untrack(self.pid, 'topic', 'key'),
    trackedAsOne,
  ),
  'Presence.untrack(pid), many topics, per topic': one(
    once(({ presence }, self) => presence.untrack(self.pid)),
    trackedOnTopic,
  ),
  'Presence.untrack(pid), each of many': each(({ presence }, self) => presence.untrack(self.pid), trackedAsKey),
  'Presence.list, per key': each(
    once(({ presence }) => presence.list('topic')),
    trackedAsKey,
  ),
  'Presence: end of a process': ends('presence', trackedAsKey),
};

// --- processes ------------------------------------------------------------------------------------------------------------

const processes = {
  'self.monitor, one process, many others': async (n) => {
    const world = newWorld();
    const pids = await startActors(world, n + 1);
    const run = () => within(world, pids[n], (self) => pids.slice(0, n).forEach((pid) => self.monitor(pid)));
    return { run, end: () => endAll(world, pids) };
  },
  'self.demonitor': async (n) => {
    const world = newWorld();
    const pids = await startActors(world, n + 1);
    const refs = await within(world, pids[n], (self) => pids.slice(0, n).map((pid) => self.monitor(pid)));
    const order = inRandomOrder(refs);
    const run = () => within(world, pids[n], (self) => order.forEach((ref) => self.demonitor(ref)));
    return { run, end: () => endAll(world, pids) };
  },
  'self.demonitor, many monitors of one process': async (n) => {
    const world = newWorld();
    const [watched, ...pids] = await startActors(world, n + 1);
    const watches = [];
    for (const pid of pids) watches.push(await within(world, pid, (self) => [self, self.monitor(watched)]));
    const order = inRandomOrder(watches);
    const run = () => order.forEach(([self, ref]) => self.demonitor(ref));
    return { run, end: () => endAll(world, [watched, ...pids]) };
  },
  // The watched have ended and their Downs lie in the mailbox: each is taken out of it, in another order than they came.
  'self.demonitor with flush': async (n) => {
    const world = newWorld();
    const { runtime } = world;
    const pids = await startActors(world, n + 1);
    const watcher = pids.pop();
    const refs = await within(world, watcher, (self) => pids.map((pid) => self.monitor(pid)));
    const order = inRandomOrder(refs);
    let begin;
    const work = (self) =>
      // In the middle of a handler, which lets the others end and takes no message meanwhile.
      (async () => {
        for (const pid of pids) GenServer.cast(runtime, pid, 'normal');
        while (runtime.processCount > 1) await turn();
        await new Promise((resolve) => (begin = resolve));
        for (const ref of order) self.demonitor(ref, { flush: true });
      })();
    const flushing = GenServer.call(runtime, watcher, work, { timeoutMs: Infinity });
    while (begin === undefined) await turn();
    const run = async () => {
      begin();
      await flushing;
    };
    return { run, end: () => endAll(world, [watcher]) };
  },
  'self.link + unlink': async (n) => {
    const world = newWorld();
    const pids = await startActors(world, n + 1);
    await within(world, pids[n], (self) => pids.slice(0, n).forEach((pid) => self.link(pid)));
    const order = inRandomOrder(pids.slice(0, n));
    const run = () =>
      within(world, pids[n], (self) => {
        for (const pid of order) self.unlink(pid);
        for (const pid of order) self.link(pid);
      });
    const end = async () => {
      await within(world, pids[n], (self) => order.forEach((pid) => self.unlink(pid)));
      await endAll(world, pids);
    };
    return { run, end };
  },
  'self.sendAfter': async (n) => {
    const world = newWorld();
    const pid = await startActor(world);
    const run = () =>
      within(world, pid, (self) => {
        for (let i = 0; i < n; i++) self.sendAfter(pid, 'later', 1e6 + ((i * 7_919) % n));
      });
    return { run, end: () => endAll(world, [pid]) };
  },
  'self.cancelTimer': async (n) => {
    const world = newWorld();
    const pid = await startActor(world);
    const timers = await within(world, pid, (self) =>
      make(n, (i) => self.sendAfter(pid, 'later', 1e6 + ((i * 7_919) % n))),
    );
    const order = inRandomOrder(timers);
    const run = () => within(world, pid, (self) => order.forEach((timer) => self.cancelTimer(timer)));
    return { run, end: () => endAll(world, [pid]) };
  },
  'maxMailbox, drop_oldest': (n) => overflowing(n, 'drop_oldest'),
  'maxMailbox, drop_newest': (n) => overflowing(n, 'drop_newest'),
  'runtime.processes, per process': async (n) => {
    const world = newWorld();
    const pids = await startActors(world, n);
    const run = () => {
      let count = 0;
      for (const _ of world.runtime.processes()) count++;
      if (count !== n) throw new Error(`${count} of ${n}`);
    };
    return { run, end: () => endAll(world, pids) };
  },
  'runtime.processes of a deep tree, per process': async (n) => {
    const world = newWorld();
    const first = await startActor(world);
    let last = first;
    for (let i = 1; i < n; i++) last = await (await selfOf(world, last)).startLink(actor);
    const run = () => {
      let count = 0;
      for (const _ of world.runtime.processes()) count++;
      if (count !== n) throw new Error(`${count} of ${n}`);
    };
    const end = async () => {
      GenServer.exit(world.runtime, first, 'kill');
      while (world.runtime.processCount > 0) await turn();
    };
    return { run, end };
  },
};

/** A full mailbox, with as many messages of the system in front as others, and `n` more that arrive. */
async function overflowing(n, overflow) {
  const world = newWorld();
  const { runtime } = world;
  const pids = await startActors(world, n);
  const watcher = await GenServer.start(
    runtime,
    { ...actor, handleCast: () => noReply() },
    { maxMailbox: { limit: n, overflow } },
  );
  await within(world, watcher, (self) => pids.forEach((pid) => self.monitor(pid)));
  let release;
  const held = GenServer.call(runtime, watcher, () => new Promise((resolve) => (release = resolve)), {
    timeoutMs: Infinity,
  });
  while (release === undefined) await turn();
  for (const pid of pids) GenServer.cast(runtime, pid, 'normal');
  while (runtime.processCount > 1) await turn();
  for (let i = 0; i < n; i++) GenServer.cast(runtime, watcher, i);
  const run = () => {
    for (let i = 0; i < n; i++) GenServer.cast(runtime, watcher, i);
  };
  const end = async () => {
    release();
    await held;
    await GenServer.stop(runtime, watcher);
  };
  return { run, end };
}

// --- Nest -----------------------------------------------------------------------------------------------------------------

const nest = {
  async 'getOrStart, keyed'(n) {
    const { app, servers } = await keyedApplication(KeyedCounter);
    const run = async () => {
      for (let i = 0; i < n; i++) await servers.getOrStart(i);
    };
    return { run, end: () => app.close() };
  },
  async 'getOrStart, keyed, already there'(n) {
    const { app, servers } = await keyedApplication(KeyedCounter);
    for (let i = 0; i < n; i++) await servers.getOrStart(i);
    const run = async () => {
      for (let i = 0; i < n; i++) await servers.getOrStart(i);
    };
    return { run, end: () => app.close() };
  },
};

export const OPERATIONS = { ...supervisors, ...registry, ...processes, ...nest };

// Sends from many async contexts at once, and looks whether any handler ever runs in one of them.
// node test/reliability/contexts.mjs [--senders 100000] [--atATime 500] [--tracking]
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Down,
  GenServerBase,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  noReply,
  ok,
  reply,
  Timeout,
} from 'nestjs-genserver';
import { boot, rootModule, server } from './support/application.mjs';
import { inParallel, pause, readOptions, Report } from './support/program.mjs';

const options = readOptions({ senders: 100_000, atATime: 500, tracking: false });
const report = new Report('contexts');

const context = new AsyncLocalStorage();
const strangers = new Map();
const seen = new Map();
const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

/** Every callback of every server begins and, after a real wait, goes on with this. */
function look(callback) {
  count(seen, callback);
  if (context.getStore() !== undefined) count(strangers, callback);
}
async function lookTwice(callback) {
  look(callback);
  await null;
  look(callback);
}

class Hub extends GenServerBase {
  constructor() {
    super();
    look('constructor');
  }
  init() {
    look('init');
    return ok(new Map());
  }
  async ask(sender) {
    await lookTwice('call');
    return reply(sender);
  }
  askSelf() {
    return reply(this.self);
  }
  tell(done) {
    look('cast');
    done();
    return noReply();
  }
  hear({ done }) {
    look('info');
    done();
    return noReply();
  }
  ring({ done }) {
    look('timer');
    done();
    return noReply();
  }
  goOn(done) {
    look('cast');
    return noReply().continue('next', done);
  }
  async next(done) {
    await lookTwice('continue');
    done();
    return noReply();
  }
  watch(pid, done) {
    look('cast');
    this.state.set(this.self.monitor(pid), done);
    return noReply();
  }
  down({ ref }) {
    look('down');
    this.state.get(ref)();
    this.state.delete(ref);
    return noReply();
  }
  later(sender) {
    look('call');
    const from = this.from();
    void this.self.task(() => look('task')).then(() => from.reply(sender));
    return from.later();
  }
}
server(Hub, {
  ask: HandleCall(),
  askSelf: HandleCall(),
  later: HandleCall(),
  tell: HandleCast(),
  goOn: HandleCast(),
  watch: HandleCast(),
  hear: HandleInfo('hear'),
  ring: HandleInfo('ring'),
  next: HandleContinue('next'),
  down: HandleInfo(Down),
});

/** One per sender, started by it and ended by it. */
class Own extends GenServerBase {
  constructor() {
    super();
    look('constructor');
  }
  async init(sender) {
    await lookTwice('init');
    return ok(sender).continue('begin');
  }
  begin() {
    look('continue');
    return noReply();
  }
  async owner() {
    await lookTwice('call');
    return reply(this.state);
  }
  idle(done) {
    look('cast');
    this.done = done;
    return noReply().timeout(1);
  }
  timeOut() {
    look('timeout');
    this.done();
    return noReply();
  }
  crash() {
    look('cast');
    throw new Error('boom');
  }
  async terminate() {
    await lookTwice('terminate');
  }
}
server(
  Own,
  {
    begin: HandleContinue('begin'),
    owner: HandleCall(),
    idle: HandleCast(),
    timeOut: HandleInfo(Timeout),
    crash: HandleCast(),
  },
  { start: 'on_demand', supervisor: { maxRestarts: 1e9 } },
);

const { app, runtime, clients } = await boot(
  rootModule({
    options: options.tracking ? { tracking: true } : {},
    providers: [Hub, Own],
    clients: [getGenServerToken(Hub), getDynamicSupervisorToken(Own)],
  }),
);
const [hub, owns] = clients;
const self = await hub.askSelf();

const told = (send) => new Promise((resolve) => send(resolve));
let lost = 0;

/** Everything that a sender can cause, in a context of its own, and whether it finds that one again after each. */
async function send(sender) {
  const steps = [
    async () => (await hub.ask(sender)) === sender,
    () => told((done) => hub.tell(done)),
    () => told((done) => runtime.send(Hub, { type: 'hear', done })),
    () => told((done) => void self.sendAfter(self.pid, { type: 'ring', done }, 1)),
    () => told((done) => hub.goOn(done)),
    async () => (await hub.later(sender)) === sender,
    async () => {
      const own = await owns.getOrStart(sender, sender);
      const isOwn = (await own.owner()) === sender;
      await told((done) => own.idle(done));
      const first = runtime.whereis({ server: Own, key: sender });
      const { down } = runtime.monitor(first);
      const downInHub = told((done) => hub.watch(first, done));
      own.crash(); // and its supervisor starts it again
      await Promise.all([down, downInHub]);
      return isOwn && (await own.owner()) === sender;
    },
    async () => {
      await owns.terminateChild({ key: sender });
      return true;
    },
  ];
  for (const step of steps) {
    const isRight = await step();
    if (isRight === false || context.getStore() !== sender) lost++;
  }
}

await inParallel(options.senders, options.atATime, (sender) => context.run(sender, () => send(sender)));
await pause(5);
await app.close();

const handlers = [...seen.values()].reduce((sum, times) => sum + times, 0);
for (const [callback, times] of seen) {
  report.goal(
    `${callback}: in a stranger's context`,
    !strangers.has(callback),
    `${strangers.get(callback) ?? 0} of ${times}`,
  );
}
const callbacks = [
  'call',
  'cast',
  'info',
  'timer',
  'timeout',
  'continue',
  'down',
  'terminate',
  'init',
  'constructor',
  'task',
];
const missing = callbacks.filter((callback) => (seen.get(callback) ?? 0) < options.senders);
report.goal('callbacks that did not run for every sender', missing.length === 0, missing.join(', ') || 'none');
report.goal('senders that did not find their own context, or got the answer of another', lost === 0, lost);
const total = [...strangers.values()].reduce((sum, times) => sum + times, 0);
report.end(`${total} of ${handlers} looks in a stranger's context, ${options.senders} senders`);

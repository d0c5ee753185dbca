// Fails inside of a server in every way there is, many times, and looks at who is blamed.
// node test/reliability/failures.mjs [--times 1000] [--victims 20]
import { EventEmitter } from 'node:events';
import { stat } from 'node:fs';
import { stat as statAsync } from 'node:fs/promises';
import {
  GenServerBase,
  HandleCall,
  HandleCast,
  HandleContinue,
  noReply,
  ok,
  provideGenServer,
  reply,
  stop,
} from 'nestjs-genserver';
import { boot, rootModule, server } from './support/application.mjs';
import { pause, readOptions, Report } from './support/program.mjs';

const options = readOptions({ times: 1000, victims: 20 });
const report = new Report('failures');

/** An error that knows where it was made, so that it can be compared with the server that is blamed for it. */
class Failure extends Error {
  constructor(way, pid) {
    super(way);
    this.pid = String(pid);
  }
}

/** Ways to leave a rejected promise behind. Each gives up the error in a moment of its own. */
const STRAY_REJECTIONS = {
  'at once': (error) => void Promise.reject(error),
  'after an await': async (error) => {
    await null;
    throw error;
  },
  'in a timer': (error) => setTimeout(() => void Promise.reject(error), 1),
  'after a timer': async (error) => {
    await pause(1);
    throw error;
  },
  'in an immediate': (error) => setImmediate(() => void Promise.reject(error)),
  'in nextTick': (error) => process.nextTick(() => void Promise.reject(error)),
  'in queueMicrotask': (error) => queueMicrotask(() => void Promise.reject(error)),
  'after a file was looked at': async (error) => {
    await statAsync('.');
    throw error;
  },
  'in the callback of a file': (error) => stat('.', () => void Promise.reject(error)),
  'in an async listener of an emitter': (error) =>
    new EventEmitter().on('go', async () => Promise.reject(error)).emit('go'),
  'in a thenable': async (error) => {
    await { then: (_resolve, reject) => setImmediate(reject, error) };
  },
  'in Promise.all': (error) => void Promise.all([pause(1), Promise.reject(error)]),
};

/** Ways to throw where nobody can catch. */
const STRAY_THROWS = {
  'in a timer': (fail) => setTimeout(fail, 1),
  'in an immediate': (fail) => setImmediate(fail),
  'in nextTick': (fail) => process.nextTick(fail),
  'in the callback of a file': (fail) => stat('.', fail),
  'in a listener of an emitter': (fail) => setImmediate(() => new EventEmitter().on('go', fail).emit('go')),
  'in an interval': (fail) => {
    const interval = setInterval(() => {
      clearInterval(interval);
      fail();
    }, 1);
  },
};
const shapeOf = (shapes, time) => Object.entries(shapes)[time % Object.keys(shapes).length];

/** Errors that the next `init` and `terminate` of a victim are to throw, and who waits for the next that is up. */
const initErrors = new Map();
const terminateErrors = new Map();
const waitingForInit = new Map();

class Victim extends GenServerBase {
  init(name) {
    this.name = name;
    const error = initErrors.get(name)?.(this.self.pid);
    initErrors.delete(name);
    if (error !== undefined) throw error;
    waitingForInit.get(name)?.();
    return ok(name);
  }
  ping() {
    return reply(this.self.pid);
  }
  throwIt(error) {
    throw error;
  }
  async rejectIt(error) {
    await null;
    throw error;
  }
  throwAnything(thing) {
    throw thing;
  }
  giveBadValue() {
    return 'no result at all';
  }
  exitWith(reason) {
    this.self.exit(reason);
  }
  hang() {
    return new Promise(() => undefined);
  }
  async wait(hand) {
    hand.enter();
    await hand.left;
  }
  async rejectLate(ms, error) {
    await pause(ms);
    throw error;
  }
  overflow() {
    const deeper = (depth) => deeper(depth + 1) + 1;
    return reply(deeper(0));
  }
  stray(leave, error) {
    leave(error);
    return noReply();
  }
  strayThrow(leave, error) {
    leave(() => {
      throw error;
    });
    return noReply();
  }
  goOn(error) {
    return noReply().continue('fail', error);
  }
  failInContinue(error) {
    throw error;
  }
  end() {
    return stop('normal');
  }
  terminate() {
    const error = terminateErrors.get(this.name);
    terminateErrors.delete(this.name);
    if (error !== undefined) throw error;
  }
}
const calls = [
  'ping',
  'throwIt',
  'rejectIt',
  'throwAnything',
  'giveBadValue',
  'exitWith',
  'hang',
  'wait',
  'rejectLate',
  'overflow',
];
server(Victim, {
  ...Object.fromEntries(calls.map((name) => [name, HandleCall()])),
  ...Object.fromEntries(['stray', 'strayThrow', 'goOn', 'end'].map((name) => [name, HandleCast()])),
  failInContinue: HandleContinue('fail'),
});

/** A handler that says when it is there, and fails when it is told to. */
function gate() {
  const hand = {};
  hand.entered = new Promise((resolve) => (hand.enter = resolve));
  hand.left = new Promise((_resolve, reject) => (hand.reject = reject));
  hand.left.catch(() => undefined); // it is the handler's rejection that is looked at
  return hand;
}

/** What a way of failing is given: the victim's client, a new failure, and what else it needs. */
const isFailure = (cause, { error }) => cause === error;
const isReason = (_cause, { error }, reason) => reason === error;
const soon = { timeoutMs: 3 };

/**
 * The ways. `fail` makes the victim fail; whatever it awaits is the caller's side. `isCause` says whether what was reported is what
 * happened. A `killed` process has no last words: its end is reported by its supervisor.
 */
const WAYS = {
  throws: { fail: ({ client, error }) => client.throwIt(error) },
  rejects: { fail: ({ client, error }) => client.rejectIt(error) },
  'throws what is no error': {
    fail: ({ client, error }) => client.throwAnything({ error }),
    isCause: (cause, { error }) => cause?.error === error,
  },
  'returns what is no result': {
    fail: ({ client }) => client.giveBadValue(),
    isCause: (cause) => cause?.code === 'BAD_RETURN_VALUE',
  },
  'exits with a reason': {
    fail: ({ client, error }) => client.exitWith(error),
    isCause: isReason,
  },
  'is killed, and rejects afterwards': {
    fail: async ({ client, error, runtime, pid }) => {
      const hand = gate();
      const answer = client.wait(hand);
      await hand.entered;
      runtime.exit(pid, 'kill');
      hand.reject(error);
      await answer;
    },
    killed: true,
  },
  'hangs until it is killed': {
    fail: async ({ client, runtime, pid }) => {
      await client
        .with(soon)
        .hang()
        .catch(() => undefined);
      runtime.exit(pid, 'kill');
    },
    killed: true,
  },
  'rejects when its caller has given up': { fail: ({ client, error }) => client.with(soon).rejectLate(6, error) },
  'overflows the stack': {
    fail: ({ client }) => client.overflow(),
    isCause: (cause) => cause instanceof RangeError,
  },
  'throws in a continue': { fail: ({ client, error }) => client.goOn(error) },
  'throws in terminate': {
    fail: ({ client, error, name }) => {
      terminateErrors.set(name, error);
      client.end();
    },
  },
  'throws in init after a restart': {
    fail: ({ client, error, name }) => {
      initErrors.set(name, (pid) => new Failure('throws in init after a restart', pid));
      return client.throwIt(error);
    },
    failsTwice: true,
  },
  'leaves a promise that rejects': {
    fail: ({ client, error, time }) => client.stray(shapeOf(STRAY_REJECTIONS, time)[1], error),
    isCause: isReason,
    shape: (time) => shapeOf(STRAY_REJECTIONS, time)[0],
  },
  'leaves a callback that throws': {
    fail: ({ client, error, time }) => client.strayThrow(shapeOf(STRAY_THROWS, time)[1], error),
    isCause: isReason,
    shape: (time) => shapeOf(STRAY_THROWS, time)[0],
  },
  // Node before 24 does not know any more where such an error comes from.
  'leaves a microtask that throws': {
    fail: ({ client, error }) => client.strayThrow((fail) => queueMicrotask(fail), error),
    isCause: isReason,
    shape: () => 'in queueMicrotask',
    needsNode: 24,
  },
};

const names = Object.keys(WAYS).flatMap((way) => Array.from({ length: options.victims }, (_, at) => `${way} #${at}`));
const { app, runtime } = await boot(
  rootModule({
    options: { attributeRejections: true, attributeExceptions: true },
    providers: names.map((name) => provideGenServer(Victim, { name, args: [name] })),
  }),
);

/** What was reported of each incarnation, by pid. */
const crashes = new Map();
const exits = new Map();
const note = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
const listening = runtime.events$.subscribe((event) => {
  if (event.type === 'gen_server.crashed') note(crashes, String(event.pid), event);
  if (event.type === 'supervisor.child_exited') note(exits, String(event.pid), event);
});
/**
 * What reached Node and nobody has claimed a while later. A listener of our own keeps Node alive, so that the rest can be counted; it
 * is told of what is claimed as well.
 */
const unclaimed = { unhandledRejection: 0, uncaughtException: 0 };
process.on('uncaughtException', async (error, origin) => {
  if (!(error instanceof Failure)) report.say(`       ${origin}: ${error?.stack}`);
  const isClaimed = () => error?.isClaimed === true || crashes.get(error?.pid)?.some(({ reason }) => reason === error);
  // It waits for its turn, and behind those that are being restarted.
  for (let waits = 0; waits < 10 && !isClaimed(); waits++) await pause(50);
  if (isClaimed()) return;
  unclaimed[origin]++;
  error?.onMissed?.();
});

const results = Object.fromEntries(
  Object.keys(WAYS).map((way) => [way, { done: 0, blamed: 0, missed: new Map(), wrong: [] }]),
);
const wasWrong = (result, text) => result.wrong.length < 5 && result.wrong.push(text);

/** One failure of one victim, from before it to when the next incarnation answers. */
async function failOnce(way, name, time) {
  const { fail, isCause = isFailure, killed = false, failsTwice = false, shape } = WAYS[way];
  const result = results[way];
  const client = runtime.client(name);
  const pid = await client.ping();
  const error = new Failure(way, pid);
  const up = new Promise((resolve) => waitingForInit.set(name, resolve));
  const missed = new Promise((resolve) => (error.onMissed = () => resolve('missed')));
  // What becomes of the caller is the affair of other tests, except that it must be told.
  const call = Promise.resolve(fail({ client, error, runtime, pid, name, time })).catch(() => undefined);
  const outcome = await Promise.race([up, missed]);
  error.isClaimed = outcome !== 'missed';
  await call;
  result.done++;
  if (outcome === 'missed') {
    const of = shape?.(time) ?? 'any';
    result.missed.set(of, (result.missed.get(of) ?? 0) + 1);
    return;
  }
  const key = String(pid);
  const told = crashes.get(key) ?? [];
  const ended = exits.get(key) ?? [];
  const isRight = killed
    ? told.length === 0 && ended.length === 1 && ended[0].reason === 'killed'
    : told.length === 1 && ended.length === 1 && isCause(told[0].cause, { error }, told[0].reason);
  if (isRight) result.blamed++;
  else wasWrong(result, `${key}: ${told.length} crash reports, ${ended.length} exits, ${told[0]?.cause}`);
  if (failsTwice) checkInit(result, key);
  crashes.delete(key);
  exits.delete(key);
}

/** The incarnation behind `key` was followed by one whose `init` threw, which has a report of its own. */
function checkInit(result, key) {
  const [, id, incarnation] = /^<0\.(\d+)\.(\d+)>$/.exec(key);
  const next = `<0.${id}.${Number(incarnation) + 1}>`;
  const told = crashes.get(next) ?? [];
  if (told.length !== 1 || told[0].cause?.pid !== next) {
    result.blamed--;
    wasWrong(result, `${next}: ${told.length} crash reports of its init, for ${told[0]?.cause?.pid}`);
  }
  crashes.delete(next);
}

await Promise.all(
  Object.keys(WAYS).flatMap((way) =>
    Array.from({ length: options.victims }, async (_, at) => {
      for (let time = at; time < options.times; time += options.victims) await failOnce(way, `${way} #${at}`, time);
    }),
  ),
);
await pause(60); // for whatever still floats
const strays = [...crashes.values()].flat().length;
listening.unsubscribe();
await app.close();

let total = 0;
for (const [way, { done, blamed, missed, wrong }] of Object.entries(results)) {
  total += done;
  const misses = [...missed].map(([shape, count]) => `${count} ${shape}`).join(', ');
  const share = blamed / done;
  const isStray = WAYS[way].shape !== undefined;
  const figure = `${blamed} of ${done} (${(share * 100).toFixed(2)} %)${misses === '' ? '' : `; missed: ${misses}`}`;
  const { needsNode = 0 } = WAYS[way];
  const text = `${way}: reported once, with the right incarnation`;
  if (Number.parseInt(process.versions.node) < needsNode) report.note(text, figure, `Node ${needsNode} and later can`);
  else report.goal(text, share >= (isStray ? 0.99 : 1) && wrong.length === 0, figure);
  for (const text of wrong) report.say(`       ${text}`);
}
report.goal('rejections that nobody handled', unclaimed.unhandledRejection === 0, unclaimed.unhandledRejection);
report.goal('reports that belong to no failure', strays === 0, strays);
report.end(
  `${total} failures in ${Object.keys(WAYS).length} ways, Node alive, ${unclaimed.unhandledRejection} unhandled rejections and ${unclaimed.uncaughtException} uncaught exceptions`,
);

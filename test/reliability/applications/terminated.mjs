// An application with HTTP and callers of its own, which somebody will terminate. At the end it says what became of every call.
// node terminated.mjs <seed>
import { writeSync } from 'node:fs';
import { APP_FILTER } from '@nestjs/core';
import { Controller, Get, Param } from '@nestjs/common';
import {
  GenServerBase,
  GenServerError,
  GenServerExceptionFilter,
  GenServerRuntime,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  ok,
  reply,
} from 'nestjs-genserver';
import { bootHttp, injected, rootModule, server } from '../support/application.mjs';
import { seededRandom } from '../../../dist/modules/testing/seeded-random.js';
import { pause, turn } from '../support/program.mjs';

const random = seededRandom(Number(process.argv[2]));
const CALLERS = 8;
const say = (what) => writeSync(1, `${JSON.stringify(what)}\n`);

class Counter extends GenServerBase {
  init() {
    return ok(0);
  }
  count() {
    return reply(this.state + 1, this.state + 1);
  }
}
server(Counter, { count: HandleCall() }, { shutdownMs: 300 });

class Clerk extends GenServerBase {
  init() {
    return ok(0);
  }
  async work() {
    await pause(1 + random() * 8);
    return reply(this.state + 1, this.state + 1);
  }
  async terminate() {
    await pause(random() * 20);
  }
}
server(Clerk, { work: HandleCall() }, { shutdownMs: 300 });

/** Now and then it takes longer than anybody waits for it. */
class Slowpoke extends GenServerBase {
  init() {
    return ok(null);
  }
  async dawdle() {
    await pause(random() < 0.1 ? 20_000 : 3);
    return reply('done');
  }
}
server(Slowpoke, { dawdle: HandleCall({ timeoutMs: 10_000 }) }, { shutdownMs: 150 });

class Basket extends GenServerBase {
  init() {
    return ok(0);
  }
  async put() {
    await pause(random() * 3);
    return reply(this.state + 1, this.state + 1);
  }
}
server(Basket, { put: HandleCall() }, { start: 'on_demand', idleMs: 10, shutdownMs: 300 });

/** What a sender may do, by number. */
const calls = ([counter, clerk, slowpoke, baskets]) => [
  () => counter.count(),
  () => clerk.work(),
  () => slowpoke.dawdle(),
  async () => (await baskets.getOrStart(Math.floor(random() * 20))).put(),
];
const tokens = [
  getGenServerToken(Counter),
  getGenServerToken(Clerk),
  getGenServerToken(Slowpoke),
  getDynamicSupervisorToken(Basket),
];

class CallsController {
  constructor(...clients) {
    this.calls = calls(clients);
  }
  call(kind) {
    return this.calls[Number(kind)]().then(String);
  }
}
Controller()(CallsController);
Get('call/:kind/:id')(
  CallsController.prototype,
  'call',
  Object.getOwnPropertyDescriptor(CallsController.prototype, 'call'),
);
Param('kind')(CallsController.prototype, 'call', 0);
injected(CallsController, ...tokens);

/** Requests that reached the application, by the number that the client gave them. */
const accepted = [];
/** Calls of our own that have not settled. */
const open = new Map();
const settled = { answered: 0, refused: 0 };
const unclear = [];

/** Calls until the application is down, whatever becomes of the calls. */
async function keepCalling(clients, caller) {
  const kinds = calls(clients);
  for (let number = 0; !isOver; number++) {
    const id = `${caller}.${number}`;
    const kind = Math.floor(random() * kinds.length);
    open.set(id, kind);
    try {
      await kinds[kind]();
      settled.answered++;
    } catch (error) {
      if (error instanceof GenServerError) settled.refused++;
      else unclear.push(String(error));
    }
    open.delete(id);
    await pause(random() * 4);
  }
}
let isOver = false;

/** Nest tells it last, when HTTP is closed as well. */
class LastWords {
  constructor(runtime) {
    this.runtime = runtime;
  }
  async onApplicationShutdown() {
    await turn();
    const undrained = (this.runtime.stopReport?.stopped ?? []).filter((entry) => entry.undrained > 0);
    isOver = true;
    say({
      is: 'over',
      accepted,
      open: [...open],
      ...settled,
      unclear,
      undrained: undrained.map(({ server: name }) => name),
    });
  }
}
injected(LastWords, GenServerRuntime);

const module = rootModule({
  options: { onTreeExit: 'keep' },
  providers: [Counter, Clerk, Slowpoke, Basket, LastWords, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
  controllers: [CallsController],
  clients: tokens,
});
/** Whatever HTTP takes in counts, also what Nest itself answers while it closes. */
function prepare(app) {
  app.enableShutdownHooks();
  app.getHttpServer().prependListener('request', ({ url }) => accepted.push(Number(url.split('/').at(-1))));
  say({ is: 'hooked' });
}
/** A start that is cut off by the signal fails, as it should. Nest is shutting down by then, and ends this process. */
function unlessTerminated(error) {
  if (error.code !== 'START_FAILED' || error.reason !== 'shutdown') throw error;
  return new Promise(() => undefined);
}

const { clients, port } = await bootHttp(module, prepare).catch(unlessTerminated);
for (let caller = 0; caller < CALLERS; caller++) void keepCalling(clients, caller);
say({ is: 'listening', port });

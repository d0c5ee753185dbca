import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { decorateServer } from '../lib/decorate.mjs';
import {
  GenServerBase,
  GenServerModule,
  getGenServerToken,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  provideGenServer,
  reply,
  Supervisor,
} from '../lib/subject.mjs';

class Counter extends GenServerBase {
  init() {
    return ok(0);
  }
  inc() {
    return reply(this.state + 1, this.state + 1);
  }
  async incA() {
    await null;
    return reply(this.state + 1, this.state + 1);
  }
  add() {
    return noReply(this.state + 1);
  }
}
decorateServer(Counter, { inc: HandleCall(), incA: HandleCall(), add: HandleCast() });

class Peer extends GenServerBase {
  init() {
    return ok(null);
  }
  meet(other, done) {
    return noReply({ other, done });
  }
  hit(left) {
    if (left === 0) this.state.done();
    else this.state.other.hit(left - 1);
    return noReply();
  }
}
decorateServer(Peer, { meet: HandleCast(), hit: HandleCast() });

class Relay extends GenServerBase {
  init() {
    return ok(null);
  }
  use(onMessage) {
    return noReply(onMessage);
  }
  hit() {
    this.state();
    return noReply();
  }
}
decorateServer(Relay, { use: HandleCast(), hit: HandleCast() });

let generation = 0;
class Frail extends GenServerBase {
  init() {
    return ok(++generation);
  }
  generation() {
    return reply(this.state);
  }
  boom() {
    throw new Error('boom');
  }
}
decorateServer(Frail, { generation: HandleCall(), boom: HandleCast() });

class AppModule {}
Supervisor({ maxRestarts: 1e9 })(AppModule);
Module({
  imports: [GenServerModule.forRoot()],
  providers: [
    Counter,
    provideGenServer(Counter, { name: 'other' }),
    provideGenServer(Peer, { name: 'left' }),
    provideGenServer(Peer, { name: 'right' }),
    Relay,
    Frail,
    {
      provide: 'clients',
      useFactory: (...clients) => clients,
      inject: [
        getGenServerToken(Counter),
        getGenServerToken(Counter, 'other'),
        getGenServerToken(Peer, 'left'),
        getGenServerToken(Peer, 'right'),
        getGenServerToken(Relay),
        getGenServerToken(Frail),
      ],
    },
  ],
})(AppModule);

/** Boots the application with that logger. */
export async function boot(logger) {
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  const [counter, other, left, right, relay, frail] = app.get('clients');
  return { app, counters: [counter, other], left, right, relay, frail, started: 0 };
}

export default {
  name: 'nestjs-genserver',
  kind: 'library',
  note: 'the injected client inside a booted Nest application, default timeout on',
  setup: () => boot(false),
  async start(ctx, { async } = {}) {
    const client = ctx.counters[ctx.started++ % 2];
    return { client, op: async ? client.incA : client.inc, add: client.add };
  },
  call: (ctx, { op }) => op(),
  cast: (ctx, { add }) => add(),
  flush: (ctx, { client }) => client.with({ timeoutMs: Infinity }).inc(),
  async stop() {},
  pingpong: ({ left, right }, n) =>
    new Promise((done) => {
      left.meet(right, done);
      right.meet(left, done);
      left.hit(n);
    }),
  async relay({ relay }, onMessage) {
    relay.use(onMessage);
    return relay.hit;
  },
  async supervised({ frail }) {
    return { crash: () => frail.boom(), generation: () => frail.generation() };
  },
  teardown: ({ app }) => app.close(),
  // Its servers are those of the modules: started and stopped with the application. See ours-keyed.
  skip: ['spawn', 'population', 'starts'],
};

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  GenServer,
  GenServerBase,
  GenServerModule,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  provideGenServer,
  reply,
  Supervisor,
} from 'nestjs-genserver';

// Plain JavaScript, so that what is measured is the built package and nothing that compiles for it. This is what the
// decorators of a TypeScript class come to.
const decorate = (type, handlers, options) => {
  for (const [name, decorator] of Object.entries(handlers)) {
    decorator(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name));
  }
  GenServer(options)(type);
  return type;
};

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
decorate(Counter, { inc: HandleCall(), incA: HandleCall(), add: HandleCast() });

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
decorate(Peer, { meet: HandleCast(), hit: HandleCast() });

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
decorate(Frail, { generation: HandleCall(), boom: HandleCast() });

class AppModule {}
Supervisor({ maxRestarts: 1e9 })(AppModule);
Module({
  imports: [GenServerModule.forRoot()],
  providers: [
    Counter,
    provideGenServer(Counter, { name: 'other' }),
    provideGenServer(Peer, { name: 'left' }),
    provideGenServer(Peer, { name: 'right' }),
    Frail,
    {
      provide: 'clients',
      useFactory: (...clients) => clients,
      inject: [
        getGenServerToken(Counter),
        getGenServerToken(Counter, 'other'),
        getGenServerToken(Peer, 'left'),
        getGenServerToken(Peer, 'right'),
        getGenServerToken(Frail),
      ],
    },
  ],
})(AppModule);

export default {
  name: 'nestjs-genserver',
  kind: 'library',
  note: 'the injected client inside a booted Nest application, default timeout on',
  async setup() {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const [counter, other, left, right, frail] = app.get('clients');
    return { app, runtime: app.get(GenServerRuntime), counters: [counter, other], left, right, frail, started: 0 };
  },
  async start(ctx, { async } = {}) {
    const client = ctx.counters[ctx.started++ % 2];
    return { client, op: async ? client.incA : client.inc, add: client.add };
  },
  call: (ctx, h) => h.op(),
  cast: (ctx, h) => h.add(),
  flush: (ctx, h) => h.client.with({ timeoutMs: Infinity }).inc(),
  async stop() {},
  pingpong: ({ left, right }, n) =>
    new Promise((done) => {
      left.meet(right, done);
      right.meet(left, done);
      left.hit(n);
    }),
  async supervised({ frail }) {
    return { crash: () => frail.boom(), generation: () => frail.generation() };
  },
  teardown: ({ app }) => app.close(),
  skip: ['spawn'],
};

// A Nest application with servers that are started on demand, one process per key.
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { decorateServer } from './decorate.mjs';
import {
  GenServerBase,
  GenServerModule,
  getDynamicSupervisorToken,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  reply,
} from './subject.mjs';

class Clock {}
class Prices {}
class Store {}
for (const service of [Clock, Prices, Store]) Injectable()(service);

const counterOn = (Base, dependencies) => {
  class Counter extends Base {
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
  const handlers = { inc: HandleCall(), incA: HandleCall(), add: HandleCast() };
  return decorateServer(Counter, handlers, { options: { start: 'on_demand' }, dependencies });
};

export const KeyedCounter = counterOn(GenServerBase, []);

class WithServices extends GenServerBase {
  constructor(clock, prices, store) {
    super();
    this.clock = clock;
    this.prices = prices;
    this.store = store;
  }
}
export const CounterWithDependencies = counterOn(WithServices, [Clock, Prices, Store]);

/** Boots it: the application, and the `DynamicSupervisorClient` that a service of it would have injected. */
export async function keyedApplication(type) {
  class AppModule {}
  Module({
    imports: [GenServerModule.forRoot()],
    providers: [
      type,
      Clock,
      Prices,
      Store,
      { provide: 'servers', useFactory: (servers) => servers, inject: [getDynamicSupervisorToken(type)] },
    ],
  })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { app, servers: app.get('servers') };
}

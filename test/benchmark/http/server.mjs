// node http/server.mjs <express|fastify> <plain|mutex|server>: a Nest application with one route that counts, on a free port of
// the loopback interface. Prints the port, and ends with its parent.
import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { decorateServer } from '../lib/decorate.mjs';
import { GenServerBase, GenServerModule, getGenServerToken, HandleCall, ok, reply } from '../lib/subject.mjs';

/** What the controller calls, by variant: a token, and the providers and modules behind it. */
const variants = {
  async plain() {
    class Counter {
      count = 0;
      async increment() {
        return ++this.count;
      }
    }
    Injectable()(Counter);
    return { token: Counter, providers: [Counter] };
  },
  async mutex() {
    const { Mutex } = await import('async-mutex');
    class Counter {
      count = 0;
      mutex = new Mutex();
      increment() {
        return this.mutex.runExclusive(() => ++this.count);
      }
    }
    Injectable()(Counter);
    return { token: Counter, providers: [Counter] };
  },
  async server() {
    class Counter extends GenServerBase {
      init() {
        return ok(0);
      }
      increment() {
        return reply(this.state + 1, this.state + 1);
      }
    }
    decorateServer(Counter, { increment: HandleCall() });
    return { token: getGenServerToken(Counter), providers: [Counter], imports: [GenServerModule.forRoot()] };
  },
};

class CountController {
  constructor(counter) {
    this.counter = counter;
  }
  async count() {
    return { count: await this.counter.increment() };
  }
  usage() {
    return process.cpuUsage();
  }
}
for (const route of ['count', 'usage']) {
  Get(route)(CountController.prototype, route, Object.getOwnPropertyDescriptor(CountController.prototype, route));
}
Controller()(CountController);

async function application(framework, { token, providers, imports = [] }) {
  class AppModule {}
  Inject(token)(CountController, undefined, 0);
  Module({ imports, controllers: [CountController], providers })(AppModule);
  if (framework === 'express') return NestFactory.create(AppModule, { logger: false });
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
}

const [, , framework, variant] = process.argv;
const app = await application(framework, await variants[variant]());
await app.listen(0, '127.0.0.1');
console.log(app.getHttpServer().address().port);
process.stdin.resume().on('end', () => process.exit(0));

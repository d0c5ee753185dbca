// node boot.mjs <n>: the CPU time that an application with n server classes takes to boot, beside one of n plain providers
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { decorateServer } from './lib/decorate.mjs';
import { GenServerBase, GenServerModule, GenServerRuntime, HandleCall, ok, reply } from './lib/subject.mjs';

const n = Number(process.argv[2]);
const make = (k, item) => Array.from({ length: k }, (_, i) => item(i));
const serverClass = (i) => {
  const type = {
    [`Server${i}`]: class extends GenServerBase {
      init() {
        return ok(0);
      }
      get() {
        return reply(this.state);
      }
    },
  }[`Server${i}`];
  return decorateServer(type, { get: HandleCall() });
};
const plainClass = (i) => {
  const type = {
    [`Service${i}`]: class {
      get() {
        return 0;
      }
    },
  }[`Service${i}`];
  Injectable()(type);
  return type;
};
async function boot(providers, imports) {
  class AppModule {}
  Module({ imports, providers })(AppModule);
  const c = process.cpuUsage();
  const t = performance.now();
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const { user, system } = process.cpuUsage(c);
  return { app, wall: performance.now() - t, cpu: (user + system) / 1000 };
}
const warm = await boot(make(5, plainClass), []);
await warm.app.close();
const plain = await boot(make(n, plainClass), []);
const servers = make(n, serverClass);
const ours = await boot(servers, [GenServerModule.forRoot()]);
console.log(
  `n ${n} plain ${plain.cpu.toFixed(0)} ms (wall ${plain.wall.toFixed(0)}) ours ${ours.cpu.toFixed(0)} ms (wall ${ours.wall.toFixed(0)})`,
);
const runtime = ours.app.get(GenServerRuntime);
for (const type of servers) runtime.client(type, type);
const c = process.cpuUsage();
for (let k = 0; k < 5; k++) for (const type of servers) runtime.client(type, type);
const { user, system } = process.cpuUsage(c);
console.log(`client(dest, Class) ${((user + system) / 5 / n).toFixed(1)} us`);
const c2 = process.cpuUsage();
await ours.app.close();
const u2 = process.cpuUsage(c2);
console.log(`close ${((u2.user + u2.system) / 1000).toFixed(0)} ms`);

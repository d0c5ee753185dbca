// Applications written in plain JavaScript, so that what runs is the built package and nothing that compiles for it.
import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { droppedLines } from '../../support/dropped-lines.mjs';

const entry = new URL('../../../dist/esm/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) {
  console.error('No dist/ to run. Run `npm run build` first.');
  process.exit(2);
}

const { Inject, Module } = await import('@nestjs/common');
const { NestFactory } = await import('@nestjs/core');
const { GenServer, GenServerModule, GenServerRuntime, Supervisor } = await import('nestjs-genserver');
const { GenServerOrchestrator } = await import('../../../dist/internals.cjs');

const CLIENTS = Symbol('clients');

/** What `@GenServer(options)` and the decorators of its handlers come to. */
export function server(type, handlers, options) {
  for (const [name, decorator] of Object.entries(handlers)) {
    decorator(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name));
  }
  GenServer(options)(type);
  return type;
}

/** What `@Inject(token)` in front of each parameter of the constructor comes to. */
export function injected(type, ...tokens) {
  tokens.forEach((token, index) => Inject(token)(type, undefined, index));
  return type;
}

/** A root module. Its servers may restart without end: crashes are what happens here. `clients` are tokens, for {@link boot}. */
export function rootModule({ options = {}, supervisor = {}, clients = [], ...metadata }) {
  class AppModule {}
  Supervisor({ maxRestarts: 1e9, ...supervisor })(AppModule);
  const imports = [GenServerModule.forRoot({ onTreeExit: 'keep', ...options }), ...(metadata.imports ?? [])];
  const given = { provide: CLIENTS, useFactory: (...all) => all, inject: clients };
  Module({ ...metadata, imports, providers: [...metadata.providers, given] })(AppModule);
  return AppModule;
}

/** Starts an application without HTTP. `world` is the inside of it, to be looked at and not touched. */
export async function boot(module) {
  const app = await NestFactory.createApplicationContext(module, { logger: droppedLines, abortOnError: false });
  return {
    app,
    clients: app.get(CLIENTS),
    runtime: app.get(GenServerRuntime),
    world: app.get(GenServerOrchestrator).world,
  };
}

/** Starts an application that listens on some free port. `prepare` gets it before anything of it has started. */
export async function bootHttp(module, prepare = () => undefined) {
  const app = await NestFactory.create(module, {
    logger: droppedLines,
    abortOnError: false,
    return503OnClosing: true,
  });
  await prepare(app);
  await app.listen(0, '127.0.0.1');
  return {
    app,
    clients: app.get(CLIENTS),
    runtime: app.get(GenServerRuntime),
    port: app.getHttpServer().address().port,
  };
}

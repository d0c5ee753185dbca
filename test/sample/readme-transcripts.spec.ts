import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { onTestFinished, expect, it, vi } from 'vitest';
import { AppModule as LessonModule } from '../../sample/02-genserver-lesson/src/app.module.js';
import { Dictionary } from '../../sample/02-genserver-lesson/src/setup/dictionary.service.js';
import { Printer } from '../../sample/02-genserver-lesson/src/slow/printer.service.js';
import { AppModule as ChatAppModule } from '../../sample/04-chat-session/src/app.module.js';
import { Pacing } from '../../sample/04-chat-session/src/model/pacing.js';
import { ManualClock } from '../support/manual-clock.js';
import { boot, bootTimed } from './support/boot.js';
import { http as httpOf } from './support/http.js';
import { PacedByHand, SlowPrinter } from './support/stand-ins.js';
import { blocks, curl, normalised, shell, steps } from './support/transcript.js';

const inSample = (path: string) => readFileSync(new URL(`../../sample/${path}`, import.meta.url), 'utf8');

/** Runs the main.ts of a sample as `node` would. What it says by itself and what Nest logs are kept apart. */
async function run(importMain: () => Promise<unknown>) {
  const said: string[] = [];
  const logged: string[] = [];
  vi.stubEnv('PORT', '0');
  vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => logged.push(stripVTControlCharacters(String(text))) > 0);
  }
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  const { app } = (await importMain()) as { app: INestApplication };
  onTestFinished(() => app.close());
  return { app, said: () => said.join('\n'), logged: () => logged.join('') };
}

it('01-hashmap prints what its README shows, answers it, and logs it', async () => {
  const readme = inSample('01-hashmap/README.md');
  const { app, said, logged } = await run(() => import('../../sample/01-hashmap/src/main.js'));
  const [printed, log] = blocks(readme, 'text');
  expect(normalised(said()).trim()).toBe(normalised(printed!));

  const http = httpOf(await app.getUrl());
  for (const { command, output } of steps(readme)) {
    expect(normalised(await curl(command, http)), command).toBe(normalised(output));
  }

  const story = normalised(log!).split('\n');
  const told = normalised(logged())
    .split('\n')
    .flatMap((line) => story.filter((part) => line.endsWith(part)));
  expect(told).toEqual(story);
});

it('02-genserver-lesson prints the routes and the tree that its README shows', async () => {
  const readme = inSample('02-genserver-lesson/README.md');
  // Else closing would wait for the two seconds that setting up takes.
  vi.spyOn(Dictionary.prototype, 'load').mockResolvedValue([]);
  const { said } = await run(() => import('../../sample/02-genserver-lesson/src/main.js'));
  const [tree] = blocks(readme, 'text');
  expect(said()).toMatch(/^\nRoutes of http:\/\/localhost:\d+\n/);
  expect(normalised(said()).trim().endsWith(normalised(tree!))).toBe(true);
});

it('02-genserver-lesson answers what its README shows', async () => {
  const readme = inSample('02-genserver-lesson/README.md');
  const printer = new SlowPrinter();
  const { http } = await boot(
    LessonModule.with(),
    { provider: Dictionary, value: { load: () => Promise.resolve(['call', 'cast', 'info']) } },
    { provider: Printer, value: printer },
  );

  for (const [at, { command, output }] of steps(readme).entries()) {
    if (command.endsWith(' &')) continue;
    const before = steps(readme)[at - 1]?.command;
    if (before?.endsWith(' &') !== true) {
      expect(normalised(await curl(command, http)), command).toBe(normalised(output));
      continue;
    }
    // The one before goes on in the background until this one has its answer.
    const inBackground = curl(before.slice(0, -2), http);
    const work = await printer.next();
    const answer = await curl(command, http);
    work.resolve('report 1, printed');
    expect([answer, await inBackground].join('\n'), before).toBe(output);
  }
});

it('02-genserver-lesson shows the cache as it is', () => {
  const [code] = blocks(inSample('02-genserver-lesson/README.md'), 'ts');
  expect(inSample('02-genserver-lesson/src/cache/cache.server.ts')).toContain(code);
});

it('04-chat-session prints the routes that its README shows', async () => {
  const [routes] = blocks(inSample('04-chat-session/README.md'), 'text');
  const { said } = await run(() => import('../../sample/04-chat-session/src/main.js'));
  expect(normalised(said()).trim().startsWith(normalised(routes!))).toBe(true);
});

it('04-chat-session answers what its README shows', async () => {
  const clock = new ManualClock();
  const pacing = { provider: Pacing, value: new PacedByHand(clock) };
  const { http } = await bootTimed(clock, ChatAppModule.with({ clock }), pacing);
  for (const { command, output } of steps(inSample('04-chat-session/README.md'))) {
    expect(await shell(command, http, (ms) => clock.advance(ms)), command).toBe(output);
  }
});

it.each([
  ['01-hashmap', () => import('../../sample/01-hashmap/src/app.module.js').then(({ AppModule }) => AppModule)],
  ['02-genserver-lesson', () => Promise.resolve(LessonModule.with())],
  ['04-chat-session', () => Promise.resolve(ChatAppModule.with())],
] as const)('%s lists all its routes, and no others', async (sample, load) => {
  const { app } = await boot(await load(), { provider: Dictionary, value: { load: () => Promise.resolve([]) } });
  const { routes } = (await import(`../../sample/${sample}/src/routes.ts`)) as { routes: (url: string) => string };
  const listed = [...routes('').matchAll(/^ {2}([A-Z]+) +(\/[^ ?]*)/gm)].map(([, method, path]) => `${method} ${path}`);
  expect([...new Set(listed)].sort()).toEqual([...routesOf(app)].sort());
});

interface ExpressLayer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** What Nest has mapped, as its HTTP platform knows it. */
function routesOf(app: INestApplication): ReadonlySet<string> {
  const { router } = app.getHttpAdapter().getInstance() as { router: { stack: readonly ExpressLayer[] } };
  const routes = router.stack.flatMap(({ route }) => (route === undefined ? [] : [route]));
  return new Set(
    routes.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)),
  );
}

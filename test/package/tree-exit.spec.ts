import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const fixture = fileURLToPath(new URL('./fixtures/tree-exit.mjs', import.meta.url));

beforeAll(() => requireBuild('esm/index.js'));

describe("an application whose tree gives up, with onTreeExit: 'shutdown'", () => {
  it.each([
    ['context', 'nobody', 'SIGTERM', []],
    ['http', 'nobody', 'SIGTERM', []],
    ['context', 'hooks', 'SIGTERM', []],
    ['http', 'hooks', 'SIGTERM', []],
    ['http', 'somebody who closes', 'undefined', []],
    // Over HTTP this takes the 30 s that a listener is given; here nothing else keeps Node alive.
    ['context', 'somebody who does nothing', 'SIGTERM', ['heard']],
  ])('runs all hooks of Nest once and ends Node with exit code 1: %s, %s listens', (kind, listening, signal, first) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fixture, kind, listening], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const hooks = ['onModuleDestroy', `beforeApplicationShutdown ${signal}`, `onApplicationShutdown ${signal}`];
    expect(stdout.trim().split('\n')).toEqual([...first, ...hooks]);
    expect([status, stderr]).toEqual([1, '']);
  });
});

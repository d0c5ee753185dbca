import { afterEach, expect } from 'vitest';
import type { RuntimeOptions } from '../../lib/create-runtime.js';
import { treeWorld, type TreeWorld } from '../support/tree.js';

const open: TreeWorld[] = [];

/** A world that is brought down after the test, and has to be empty then. For files that call {@link expectNothingLeft}. */
export function tidyWorld(options?: RuntimeOptions): TreeWorld {
  const world = treeWorld(options);
  open.push(world);
  return world;
}

/** After each test: stops everything that is still running in the worlds it made, and fails if anything survives that. */
export function expectNothingLeft(): void {
  afterEach(async () => {
    for (const world of open.splice(0)) await bringDown(world);
  });
}

export async function bringDown(world: TreeWorld): Promise<void> {
  const { runtime, clock } = world;
  const roots = [...runtime.processes()].filter(({ parent }) => parent === null);
  const stopped = Promise.allSettled(roots.map(({ pid }) => world.stop(pid, 'shutdown')));
  await clock.advance(60_000); // a process that hangs uses up the time it has
  await stopped;
  expect(runtime.processCount, 'processes').toBe(0);
  expect(world.names(), 'names').toEqual([]);
  expect(runtime.deadlines.isEmpty, 'no deadlines').toBe(true);
  runtime.close();
  expect(clock.pendingTimers, 'timers').toBe(0);
}

import { expect } from 'vitest';
import { settle } from './manual-clock.js';
import type { TestWorld } from './world.js';

/** Kills whoever is alive, and expects that no process is left and nothing waits any more. For `afterEach`. */
export async function expectWorldEnds(world: Pick<TestWorld, 'runtime' | 'exit'>): Promise<void> {
  for (const { pid } of world.runtime.processes()) world.exit(pid, 'kill');
  await settle();
  expect([world.runtime.processCount, world.runtime.deadlines.isEmpty]).toEqual([0, true]);
}

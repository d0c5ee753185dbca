import { expect } from 'vitest';
import { settle } from './manual-clock.js';
import type { TestWorld } from './world.js';

/** For `afterEach`: kills every process, and expects that none is left and no deadline is pending. */
export async function expectWorldEnds(world: Pick<TestWorld, 'runtime' | 'exit'>): Promise<void> {
  for (const { pid } of world.runtime.processes()) world.exit(pid, 'kill');
  await settle();
  expect([world.runtime.processCount, world.runtime.deadlines.isEmpty]).toEqual([0, true]);
}

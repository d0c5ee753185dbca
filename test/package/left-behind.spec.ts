import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const fixture = fileURLToPath(new URL('./fixtures/left-behind.mjs', import.meta.url));

const run = (what: string, tracking: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['--expose-gc', fixture, what, tracking], { encoding: 'utf8' }));

const KINDS = ['tracked', 'untracked'];

beforeAll(() => requireBuild('esm/core.js'));

describe.each(KINDS)('of servers that call each other without waiting, %s,', (tracking) => {
  it.each(['2:sync', '2:async', '5:sync', '5:async'])(
    'a chain of 10 000 calls leaves nothing behind: %s',
    (servers) => {
      // A chain that is kept takes 400 bytes a hop.
      expect(run(`hops:${servers}`, tracking)).toBeLessThan(10_000 * 20);
    },
  );
});

describe.each(KINDS)('of a process that has ended, %s,', (tracking) => {
  it.each(['socket', 'timer', 'promise'])('a %s from any of its callbacks keeps nothing alive', (kind) => {
    expect(run(`opens:${kind}`, tracking)).toEqual([]);
  });

  // The arguments belong to how it is started, and to whoever starts it again.
  it('what holds its self keeps neither its state nor what it was sent', () => {
    const kept = run('opens:self', tracking) as string[];
    expect(kept.filter((name) => !name.startsWith('the arguments'))).toEqual([]);
  });
});

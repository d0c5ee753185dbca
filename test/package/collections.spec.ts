import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('./fixtures/collections.mjs', import.meta.url));

/** The functions whose compiled code full collections throw away while no message is on its way. */
function lostToCollections(tracking: 'tracked' | 'untracked'): string[] {
  const flags = ['--single-threaded', '--expose-gc', '--trace-deopt'];
  const output = execFileSync(process.execPath, [...flags, fixture, tracking], { encoding: 'utf8' });
  const whenIdle = output.slice(output.indexOf('idle\n'));
  return [...whenIdle.matchAll(/<SharedFunctionInfo ([^>]+)>.*reason: (?:embedded )?weak objects/g)].map(
    ([, name]) => name!,
  );
}

const HANDLING_MESSAGES = ['callServer', 'CallRequest', 'TrackedCallRequest', 'receive', 'takeTurn', 'answer', 'add'];

describe('full collections at a moment when no message is on its way', () => {
  // With tracking, Node 20 and 22 lose what they do at every promise, and all that has it built in.
  it.each(['untracked', 'tracked'] as const)('leave the code that handles messages compiled: %s', (tracking) => {
    const lost = lostToCollections(tracking);
    expect(lost.filter((name) => HANDLING_MESSAGES.includes(name))).toEqual([]);
    // What happens to a class that nobody keeps: the loss would be seen.
    expect(lost).toContain('readForgotten');
  });
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const fixture = fileURLToPath(new URL('./fixtures/collections.mjs', import.meta.url));

/** Which functions were compiled, and which of those were lost because objects that their code is about are all gone. */
function compilation(
  what: 'messages' | 'starts',
  tracking: 'tracked' | 'untracked',
): { compiled: Set<string>; lost: Set<string> } {
  const flags = ['--single-threaded', '--expose-gc', '--trace-opt', '--trace-deopt'];
  const output = execFileSync(process.execPath, [...flags, fixture, what, tracking], { encoding: 'utf8' });
  const namesIn = (pattern: RegExp) => new Set([...output.matchAll(pattern)].map(([, name]) => name!));
  return {
    compiled: namesIn(/completed compiling \S+ <JSFunction (.+?) \(sfi/g),
    lost: namesIn(/<SharedFunctionInfo ([^>]+)>.*reason: (?:embedded )?weak objects/g),
  };
}

beforeAll(() => requireBuild('esm/core.js'));

describe('full collections at a moment when no message is on its way', () => {
  // With tracking, Node 20 and 22 lose what they do at every promise themselves, and all that has it built in.
  it.each([
    ['untracked', ['CallRequest', 'answer', 'takeTurn']],
    ['tracked', ['CallRequest', 'TrackedCallRequest', 'answer', 'takeTurn']],
  ] as const)('leave the code that handles messages compiled: %s', (tracking, handling) => {
    const { compiled, lost } = compilation('messages', tracking);
    expect([...compiled]).toEqual(expect.arrayContaining([...handling]));
    // Node 24 compiles the last on its own, others build it into what calls it.
    expect([...handling, 'Activation'].filter((name) => lost.has(name))).toEqual([]);
    // What becomes of a class of which nothing is kept: a loss would be seen.
    expect(lost).toContain('readForgotten');
  });

  it.each(['untracked', 'tracked'] as const)(
    'leave the code that starts and stops servers compiled: %s',
    (tracking) => {
      const { compiled, lost } = compilation('starts', tracking);
      const starting = ['startChild', 'spawnAsPlanned', 'GenServerProcess', 'Starting', 'applyInit', 'whenStarted'];
      const stopping = ['beginShutdown', 'EndOfChild', 'signal', 'terminate', 'end', 'reportToWatchers'];
      // Each Node builds others of them into what calls them.
      for (const some of [starting, stopping]) expect(some.filter((name) => compiled.has(name))).not.toEqual([]);
      expect([...starting, ...stopping].filter((name) => lost.has(name))).toEqual([]);
      expect(lost).toContain('readForgotten');
    },
  );
});

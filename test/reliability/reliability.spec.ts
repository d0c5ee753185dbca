import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

interface Ending {
  readonly code: number | null;
  readonly missed: readonly string[];
  readonly last: string;
  readonly errors: string;
}

/** Runs a program to its end. What it says of itself is its last line, and a line for each goal that it missed. */
function run(program: string, ...args: string[]): Promise<Ending> {
  const file = fileURLToPath(new URL(`${program}.mjs`, import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.on('close', (code) => {
      const lines = output.trimEnd().split('\n');
      resolve({ code, missed: lines.filter((line) => line.startsWith('MISSED')), last: lines.at(-1)!, errors });
    });
  });
}

const met = (last: RegExp): Ending => ({
  code: 0,
  missed: [],
  last: expect.stringMatching(last) as string,
  errors: '',
});

// Small versions: whatever depends on how fast the machine is at the moment is left to the long ones.
describe('a small run', () => {
  it('of everything over and over leaves nothing behind', async () => {
    expect(await run('soak', '--turns', '3')).toEqual(met(/nothing left.*every goal met$/));
  });

  it('of applications that are terminated at random answers everybody', async () => {
    expect(await run('chaos', '--runs', '10')).toEqual(met(/ 0 of \d+ accepted calls unanswered.*every goal met$/));
  });

  it('of every way to fail blames the right incarnation, once', async () => {
    expect(await run('failures', '--times', '20', '--victims', '2')).toEqual(
      met(/0 unhandled rejections.*every goal met$/),
    );
  });

  it.each([[[]], [['--tracking']]])(
    'of senders with contexts of their own shows no handler any of these %j',
    async (tracking) => {
      expect(await run('contexts', '--senders', '300', ...tracking)).toEqual(
        met(/^contexts: 0 of \d+ .*every goal met$/),
      );
    },
  );

  it('of a flood serves timers and requests before the flood is over', async () => {
    expect(await run('fairness', '--seconds', '0.5', '--casts', '300000', '--counts')).toEqual(met(/every goal met$/));
  });

  it('of an overload counts every message that is shed, and keeps to the limit', async () => {
    expect(await run('overload', '--seconds', '1.5', '--limit', '100', '--counts')).toEqual(
      met(/ 0 counts that do not add up.*every goal met$/),
    );
  });

  it('of processes by key gives everything back when they are idle', async () => {
    expect(await run('scale', '--processes', '1000', '--rounds', '1')).toEqual(met(/every goal met$/));
  });
});

describe('a program', () => {
  it('refuses options that it does not know, with those that it does', async () => {
    const { code, errors } = await run('scale', '--proceses', '10');
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('--processes 100000') as string });
  });

  it('exits with 1 and names the goal when it misses one', async () => {
    const { code, missed, last } = await run('chaos', '--runs', '0');
    expect(code).toBe(1);
    expect(missed[0]).toBe('MISSED something was terminated under load: 0 requests, 0 calls');
    expect(last).toMatch(/^chaos: .*MISSED something was terminated/);
  });
});

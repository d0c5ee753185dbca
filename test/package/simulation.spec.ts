import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Runs the simulator on what was built, and gives what it printed and how it ended. */
function simulate(...args: string[]): Promise<{ lines: string[]; code: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['test/simulation/simulate.mjs', ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ lines: `${stderr}${stdout}`.trim().split('\n'), code });
    });
  });
}

describe('the built library', () => {
  it('breaks no rule in 100 000 schedules, and repeats itself where it is asked to', { timeout: 600_000 }, async () => {
    const { lines, code } = await simulate('--schedules', '100000', '--seed', '1');
    expect(lines.slice(-2)).toEqual([
      '1000 of 1000 re-runs with equal trace hashes',
      '100000 schedules, 0 violations, seed 1',
    ]);
    expect(code).toBe(0);
  });

  it('is shown step by step when one schedule is asked for', async () => {
    const first = await simulate('--seed', '5', '--schedule', '12');
    expect(first.lines.at(-1)).toMatch(/^schedule 12 of seed 5: \d+ steps, 0 violations, trace [0-9a-f]+$/);
    expect(await simulate('--seed', '5', '--schedule', '12')).toEqual(first);
  });

  it('is not simulated with numbers that are none', async () => {
    const { lines, code } = await simulate('--schedules', 'many');
    expect(lines).toEqual(['--schedules must be a whole number, 1 or more, got: many']);
    expect(code).toBe(2);
  });
});

describe('a bug', () => {
  it('is found, and the search says by which rule and after how many schedules', async () => {
    const lines = await new Promise<string[]>((resolve) => {
      const args = ['test/mutants/mutants.mjs', '--only', 'name-leak', '--schedules', '2000'];
      execFile(process.execPath, args, (_error, stdout) => resolve(stdout.trim().split('\n')));
    });
    expect(lines.at(-2)).toMatch(/^\| name-leak \| R2: .* \| R[12] \| \d+ \|$/);
    expect(lines.at(-1)).toBe('1 mutants, 1 killed, survivors: none');
  });
});

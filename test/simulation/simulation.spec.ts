import { describe, expect, it } from 'vitest';
import { following, GivenChoices, SeededChoices } from './choices.js';
import { decode, encode, shrink } from './shrink.js';
import { type Run, simulate } from './simulation.js';
import { Observer } from './observer.js';
import { Trace } from './trace.js';
import { Violation } from './violation.js';

describe('a schedule', () => {
  it('breaks no rule, whatever the seed', async () => {
    for (let schedule = 0; schedule < 300; schedule++) {
      const { violation } = await simulate(new SeededChoices(7, schedule));
      expect(violation, `npm run simulate -- --seed 7 --schedule ${schedule}`).toBeUndefined();
    }
  });

  it('leaves the same trace when it is run again, from its seed or from its choices', async () => {
    for (let schedule = 0; schedule < 50; schedule++) {
      const { hash, choices } = await simulate(new SeededChoices(3, schedule));
      expect((await simulate(new SeededChoices(3, schedule))).hash).toBe(hash);
      expect((await simulate(new GivenChoices(decode(encode(choices))))).hash).toBe(hash);
    }
  });

  it('leaves another trace for another seed', async () => {
    const hashes = new Set<string>();
    for (let schedule = 0; schedule < 50; schedule++) hashes.add((await simulate(new SeededChoices(4, schedule))).hash);
    expect(hashes.size).toBeGreaterThan(40);
  });
});

describe('a failure', () => {
  it('is kept as the first that was seen', () => {
    const observer = new Observer(new SeededChoices(1, 1), new Trace(true), { scheduling: 'fair', tracking: false });
    observer.fail('first', 'one');
    observer.fail('second', 'two');
    expect(observer.violation).toMatchObject({ rule: 'first', message: 'one' });
  });

  it('is shrunk to the choices that matter, as small as they can be', async () => {
    // Broken by a 3 or more with a 2 or more somewhere behind it.
    const run = async (given: readonly number[]): Promise<Run> => {
      const at = given.findIndex((choice) => choice >= 3);
      const isBroken = at !== -1 && given.slice(at + 1).some((choice) => choice >= 2);
      const violation = isBroken ? new Violation('rule', 'broken') : undefined;
      return { violation, hash: '', steps: given.length, choices: given, lines: undefined };
    };
    const given = [1, 0, 9, 4, 0, 1, 7, 2, 8, 0, 0, 5];
    const shrunk = await shrink(await run(given), run);
    expect(shrunk.choices).toEqual([3, 2]);
  });
});

describe('choices', () => {
  it('are gone through one by one, each once', () => {
    const seen: string[] = [];
    for (let given: readonly number[] | undefined = []; given !== undefined;) {
      const choices: GivenChoices = new GivenChoices(given);
      seen.push([choices.next(2), choices.next(3)].join(''));
      given = following(choices);
    }
    expect(seen).toEqual(['00', '01', '02', '10', '11', '12']);
  });

  it('survive the command line, without the zeros at the end', () => {
    expect(encode([0, 35, 36, 0, 5, 0, 0])).toBe('0.z.10.0.5');
    expect(decode(encode([0, 35, 36, 0, 5]))).toEqual([0, 35, 36, 0, 5]);
  });
});

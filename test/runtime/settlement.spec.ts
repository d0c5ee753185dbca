import { describe, expect, it } from 'vitest';
import { RootContext } from '../../lib/runtime/scheduling/root-context.js';
import { Deadlines } from '../../lib/runtime/time/deadlines.js';
import { Settlement } from '../../lib/runtime/time/settlement.js';
import { ManualClock } from '../support/manual-clock.js';

const TIMEOUT_MS = 100;

function pending() {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, new RootContext(), () => undefined);
  const outcomes: unknown[] = [];
  const made: Error[] = [];
  const make = (message: string) => (): Error => {
    const error = new Error(message);
    made.push(error);
    return error;
  };
  const settlement = new Settlement<string>(
    (value) => outcomes.push({ value, isPending: settlement.isPending }),
    (error) => outcomes.push({ error, isPending: settlement.isPending }),
    make('expired'),
  );
  deadlines.add(settlement, TIMEOUT_MS);
  return { clock, deadlines, settlement, outcomes, made, make };
}

type Pending = ReturnType<typeof pending>;

const refusal = new Error('refused');

const ways: Record<string, { readonly go: (of: Pending) => unknown; readonly outcome: object }> = {
  'a value': { go: ({ settlement }) => settlement.settle('value'), outcome: { value: 'value' } },
  'an error': { go: ({ settlement }) => settlement.refuse(refusal), outcome: { error: refusal } },
  'an error that is made for it': {
    go: ({ settlement, make }) => settlement.refuseWith(make('made')),
    outcome: { error: new Error('made') },
  },
  'the deadline': { go: ({ clock }) => clock.advance(TIMEOUT_MS), outcome: { error: new Error('expired') } },
};
const names = Object.keys(ways);

describe('Settlement', () => {
  it.each(names)('leaves the deadlines before %s settles it', async (name) => {
    const of = pending();
    expect(of.deadlines.isEmpty).toBe(false);
    await ways[name]!.go(of);
    expect(of.outcomes).toEqual([{ ...ways[name]!.outcome, isPending: false }]);
    expect(of.deadlines.isEmpty).toBe(true);
    expect(of.settlement.isSettled).toBe(true);
  });

  it.each(names.flatMap((first) => names.map((second) => [first, second] as const)))(
    'stays settled by %s when %s follows',
    async (first, second) => {
      const of = pending();
      await ways[first]!.go(of);
      const madeAtFirst = of.made.length;
      await ways[second]!.go(of);
      of.settlement.expire();
      expect(of.outcomes).toEqual([{ ...ways[first]!.outcome, isPending: false }]);
      expect(of.made).toHaveLength(madeAtFirst);
    },
  );

  it('expires when its time has come, and not before', async () => {
    const { clock, settlement, outcomes } = pending();
    await clock.advance(TIMEOUT_MS - 1);
    expect([settlement.isSettled, outcomes]).toEqual([false, []]);
    await clock.advance(1);
    expect(settlement.isSettled).toBe(true);
  });

  it('can be settled when it was taken from the deadlines before', async () => {
    const { clock, settlement, outcomes } = pending();
    settlement.cancel();
    await clock.advance(TIMEOUT_MS);
    settlement.settle('value');
    expect(outcomes).toEqual([{ value: 'value', isPending: false }]);
  });

  it.each(['an error that is made for it', 'the deadline'])('has no stack frames in the error of %s', async (name) => {
    const of = pending();
    await ways[name]!.go(of);
    expect(of.made.map(({ stack }) => stack)).toEqual([`Error: ${of.made[0]!.message}`]);
    expect(new Error('later').stack).toContain('settlement.spec');
  });
});

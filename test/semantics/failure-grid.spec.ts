import { describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import type { Self } from '../../lib/gen-server/self.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script, type Step } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

/** How a callback fails. What never returns is killed in the end, as a supervisor would do it. */
const FAILURES = {
  throws: {
    step: () => {
      throw boom;
    },
    reason: boom,
  },
  rejects: { step: () => Promise.reject(boom), reason: boom },
  exits: { step: ({ self }: { self: Self }) => self.exit('out'), reason: 'out' },
  'is killed': {
    step: ({ self }: { self: Self }) => {
      self.exit(self.pid, 'kill');
      return never();
    },
    reason: 'killed',
  },
  'never returns': { step: () => never(), reason: 'killed' },
} as const;

const CALLBACKS = ['init', 'call', 'cast', 'info', 'continue', 'terminate'] as const;

type Failure = keyof typeof FAILURES;
type Callback = (typeof CALLBACKS)[number];

interface Cell {
  readonly failure: Failure;
  readonly callback: Callback;
  /** Why the process ends: what its callers, links and monitors are told. */
  readonly reason: unknown;
  /** What `terminate` is given, when it runs: the reason, and the state from before the failure. */
  readonly terminated: readonly unknown[];
  /** The process has to be killed from outside, or would be there for ever. */
  readonly hangs: boolean;
}

const cells: Cell[] = CALLBACKS.flatMap((callback) =>
  (Object.keys(FAILURES) as Failure[]).map((failure) => {
    const { reason } = FAILURES[failure];
    const isAbrupt = reason === 'killed';
    const runsTerminate = callback === 'terminate' ? 'asked' : callback !== 'init' && !isAbrupt ? 'failed' : 'no';
    return {
      failure,
      callback,
      reason,
      terminated: { asked: [['normal', 'newer']], failed: [[reason, 'newer']], no: [] }[runsTerminate],
      hangs: failure === 'never returns',
    };
  }),
);

describe('when a callback fails', () => {
  it('there is no hole in the grid', () => {
    expect(cells).toHaveLength(30);
  });

  it.each(cells)(
    '$callback $failure: everybody is told, and nothing is left',
    async ({ failure, callback, reason, terminated, hangs }) => {
      const world = testWorld();
      const run = FAILURES[failure].step as (context: { self: Self }) => unknown;
      const terminations: unknown[] = [];
      let ownSelf!: Self;
      const observer = await startProbe(world, { trapExit: true });

      const starting = world.start(
        script({
          init: (_args, self) => {
            ownSelf = self;
            return callback === 'init' ? run({ self }) : ok('state');
          },
          terminate: (why, state) => {
            terminations.push([why, state]);
            return callback === 'terminate' ? run({ self: ownSelf }) : undefined;
          },
        }),
        { name: 'server' },
      );
      const pid = world.runtime.localNames.whereis('server')!;
      observer.self.link(pid);
      const ref = observer.self.monitor(pid);

      const waiting: Promise<unknown>[] = [];
      if (callback === 'init') waiting.push(rejectionOf(starting));
      else await starting;
      if (callback !== 'init') {
        world.cast(pid, () => noReply('newer'));
        // One caller waits for an answer that was left for later, one in the queue, one for the failing callback itself.
        waiting.push(rejectionOf(world.call(pid, ({ from }: Context) => from.later(), Infinity)));
        await settle();
        const own = trigger(world, callback, run);
        if (own !== undefined) waiting.push(own);
      }
      waiting.push(rejectionOf(world.call('server', () => reply('never handled'), Infinity)));
      world.cast('server', () => (terminations.push('a queued cast was handled'), noReply()));

      await settle();
      if (hangs) {
        expect(world.runtime.localNames.whereis('server')).toBe(pid);
        world.exit(pid, 'kill');
      }
      await settle();

      expect(terminations).toEqual(terminated);
      for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ reason });
      expect(observer.messages).toEqual([new Exit(pid, reason), new Down(ref, pid, pid, reason)]);
      expect(world.runtime.localNames.whereis('server')).toBeUndefined();
      expect(world.seen.filter(({ type }) => type === 'process.exited')).toMatchObject([
        { pid, reason, isClean: false },
      ]);
      expect(world.seen.filter(({ type }) => type === 'gen_server.crashed')).toHaveLength(reason === 'killed' ? 0 : 1);

      await world.stop(observer.pid);
      expect(world.runtime.processCount).toBe(0);
      expect(world.runtime.deadlines.isEmpty).toBe(true);
    },
  );
});

/** Lets the failing callback run; gives what its caller is told, when it has one of its own. */
function trigger(
  world: TestWorld,
  callback: Callback,
  run: (context: { self: Self }) => unknown,
): Promise<unknown> | undefined {
  const step: Step = (context) => run(context);
  if (callback === 'call') return rejectionOf(world.call('server', step, Infinity));
  if (callback === 'terminate') return rejectionOf(world.stop('server'));
  if (callback === 'cast') world.cast('server', step);
  if (callback === 'info') world.send('server', step);
  if (callback === 'continue') world.cast('server', () => noReply().continue('next', step));
  return undefined;
}

import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import type { StartOptions } from '../../lib/gen-server/definition/start-options.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

interface Cart {
  readonly items: string[];
}

/** A careless server: it hands out its live state, and keeps what it is given. */
const cart = {
  label: 'Cart',
  init: ([given]: [Cart]) => ok(given),
  handleCall: (request: 'get' | { set: Cart }, _from: unknown, state: Cart) =>
    request === 'get' ? reply(state) : reply(request.set.items, request.set),
  handleCast: (given: Cart) => noReply(given),
};

describe('state that is handed out', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld({ warnsOfSharedState: true });
  });

  const warnings = () => world.seen.filter(({ type }) => type === 'gen_server.live_state_shared');
  const startCart = (options: StartOptions = {}) => world.start(cart, { args: [{ items: [] }], ...options });

  describe("with isolation: 'none', the default", () => {
    it('goes by reference, and is reported: a reply (P4)', async () => {
      const args = [{ items: ['a'] }];
      const pid = await startCart({ args: () => args });
      expect(await world.call(pid, 'get')).toBe(args[0]);
      expect(warnings()).toEqual([
        { type: 'gen_server.live_state_shared', pid, label: 'Cart', what: 'the reply of handleCall' },
      ]);
    });

    it('goes by reference, and is reported: the argument of init (P4)', async () => {
      const pid = await startCart();
      expect(warnings()).toEqual([
        { type: 'gen_server.live_state_shared', pid, label: 'Cart', what: 'an argument of init' },
      ]);
    });

    it('is not reported when it cannot be changed (P4)', async () => {
      const pid = await startCart({ args: [Object.freeze({ items: [] })] });
      await world.call(pid, 'get');
      const numbers = await world.start(
        { init: ([n]: [number]) => ok(n), handleCall: (_r, _f, n: number) => reply(n) },
        { args: [1] },
      );
      await world.call(numbers, 'get');
      expect(warnings()).toEqual([]);
    });

    it('is not reported for what is part of the state only, nor in production (P4)', async () => {
      const pid = await startCart({ args: [Object.freeze({ items: [] })] });
      await world.call(pid, { set: Object.freeze({ items: [] }) });
      expect(warnings()).toEqual([]);
      world = testWorld({ warnsOfSharedState: false });
      await world.call(await startCart(), 'get');
      expect(warnings()).toEqual([]);
    });
  });

  describe("with isolation: 'clone'", () => {
    const isolated = { isolation: 'clone' } as const;

    it('shares no memory with its callers: the request and the reply are copies (P4)', async () => {
      const pid = await startCart(isolated);
      const mine: Cart = { items: ['a'] };
      const items = (await world.call(pid, { set: mine })) as string[];
      mine.items.push('b');
      items.push('c');
      const first = (await world.call(pid, 'get')) as Cart;
      first.items.push('d');
      expect(await world.call(pid, 'get')).toEqual({ items: ['a'] });
      expect(warnings()).toEqual([]);
    });

    it('shares no memory with the sender of a cast (P4)', async () => {
      const pid = await startCart(isolated);
      const mine: Cart = { items: ['a'] };
      world.cast(pid, mine);
      mine.items.push('b');
      expect(await world.call(pid, 'get')).toEqual({ items: ['a'] });
    });

    it('shares no memory with the arguments it was started with, so that the next incarnation gets them unchanged (P4)', async () => {
      const args = [{ items: ['a'] }];
      const pid = await startCart({ ...isolated, args });
      const changing = await world.start(
        {
          init: ([given]: [Cart]) => ok(given),
          handleCall: (_request, _from, state: Cart) => (state.items.push('b'), reply(null)),
        },
        { ...isolated, args },
      );
      await world.call(changing, null);
      expect(args).toEqual([{ items: ['a'] }]);
      expect(await world.call(pid, 'get')).toEqual({ items: ['a'] });
    });

    it('rejects a call that cannot be copied, before it is sent (P4)', async () => {
      const pid = await startCart(isolated);
      const refused = await rejectionOf(world.call(pid, { set: () => undefined }));
      expect((refused as Error).name).toBe('DataCloneError');
      expect(await world.call(pid, 'get')).toEqual({ items: [] });
    });

    it('drops and reports a cast that cannot be copied (P4)', async () => {
      const pid = await startCart(isolated);
      world.cast(pid, () => undefined);
      await settle();
      expect(world.seen).toContainEqual({
        type: 'gen_server.cast_dropped',
        destination: 'Cart',
        handler: 'handleCast',
        why: expect.stringContaining('could not be cloned') as string,
      });
    });

    it('drops and reports a cast whose copying throws what is no error (P4)', async () => {
      const pid = await startCart(isolated);
      world.cast(pid, {
        get items() {
          throw null;
        },
      });
      expect(world.seen).toContainEqual(expect.objectContaining({ type: 'gen_server.cast_dropped', why: 'null' }));
    });

    it('rejects the caller of a reply that cannot be copied, and the server lives on (P4)', async () => {
      const pid = await world.start(
        { init: () => ok(null), handleCall: (request) => reply(request === 'fn' ? () => 1 : 1) },
        isolated,
      );
      expect(((await rejectionOf(world.call(pid, 'fn'))) as Error).name).toBe('DataCloneError');
      expect(await world.call(pid, 'number')).toBe(1);
    });

    it('fails the start when the arguments cannot be copied (P4)', async () => {
      const refused = await rejectionOf(startCart({ ...isolated, args: [() => undefined] }));
      expect(refused).toMatchObject({ code: 'START_FAILED', cause: { name: 'DataCloneError' } });
    });
  });
});

import { NotFoundException } from '@nestjs/common';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { childSpec, type Behaviour, Supervisor, supervisorChildSpec } from '../../lib/core.js';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import {
  error,
  GenServer,
  GenServerBase,
  type GenServerClient,
  HandleCall,
  HandleCast,
  HandleInfo,
  ignore,
  noReply,
  ok,
  reply,
} from '../../lib/index.js';
import { start } from '../../lib/gen-server/client/start.js';
import { Exit } from '../../lib/runtime/exits/messages.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { settle, startSupervised, stopSupervised, TestProbe, TestWorld } from '../../lib/testing/index.js';
import { never } from '../support/deferred.js';
import { rejectionOf } from '../support/thrown.js';

class Prices {
  constructor(readonly factor = 1) {}
  of(name: string): number {
    return name.length * this.factor;
  }
}

let made = 0;

@GenServer({ callTimeoutMs: 300 })
class Cart extends GenServerBase<readonly string[]> {
  readonly serial = ++made;
  constructor(private readonly prices: Prices) {
    super();
  }
  override init(...first: string[]) {
    return ok<readonly string[]>(first);
  }
  @HandleCall() add(item: string) {
    return reply([...this.state, item].length, [...this.state, item]);
  }
  @HandleCall() total() {
    return reply(this.state.reduce((sum, item) => sum + this.prices.of(item), 0));
  }
  @HandleCall() hang() {
    return this.from<number>().later();
  }
  @HandleCall() find(item: string) {
    if (!this.state.includes(item)) throw new NotFoundException();
    return reply(item);
  }
  @HandleCall() instance() {
    return reply(this.serial);
  }
  @HandleCast() crash(): never {
    throw new Error('boom');
  }
}

@GenServer()
class Shop extends GenServerBase<null> {
  constructor(private readonly cart: GenServerClient<Cart>) {
    super();
  }
  @HandleCall() async buy(item: string) {
    return reply(await this.cart.add(item));
  }
}

@GenServer({ restart: 'temporary', trapExit: true })
class Parent extends GenServerBase<string[]> {
  override init() {
    return ok([]);
  }
  @HandleCall() async open() {
    return reply(await this.self.startLink(Cart, { name: 'child cart' }));
  }
  @HandleInfo(Exit) protected onExit() {
    return noReply();
  }
}

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
  return () => world.stop();
});

describe('startSupervised with a class', () => {
  it('gives a client that is typed from it, made from the dependencies that are given', async () => {
    const cart = await startSupervised(world, Cart, { dependencies: [new Prices(10)], args: ['tea'] });
    expect(await cart.add('mug')).toBe(2);
    expect(await cart.total()).toBe(60);
  });

  it('keeps to the options of the class, which those that are given overrule', async () => {
    const slow = await startSupervised(world, Cart, { dependencies: [new Prices()] });
    const slower = await startSupervised(world, Cart, {
      dependencies: [new Prices()],
      name: 'other',
      callTimeoutMs: 500,
    });
    const outcomes: string[] = [];
    void slow.hang().catch(() => outcomes.push('300'));
    void slower.hang().catch(() => outcomes.push('500'));
    await world.clock.advance(300);
    expect(outcomes).toEqual(['300']);
    await world.clock.advance(200);
    expect(outcomes).toEqual(['300', '500']);
  });

  it('restarts it when it crashes, as a new instance with its first arguments, and the client leads there', async () => {
    const cart = await startSupervised(world, Cart, { dependencies: [new Prices()], args: ['tea'] });
    await cart.add('mug');
    const before = await cart.instance();
    cart.crash();
    await settle();
    expect(await cart.add('pot')).toBe(2);
    expect(await cart.instance()).not.toBe(before);
    expect(world.eventsOf('gen_server.crashed')).toHaveLength(1);
  });

  it('makes dependencies and arguments anew for each incarnation when they are functions', async () => {
    let [prices, args] = [0, 0];
    const cart = await startSupervised(world, Cart, {
      dependencies: () => (prices++, [new Prices()]),
      args: () => (args++, ['tea']),
    });
    cart.crash();
    await settle();
    await cart.total();
    expect([prices, args]).toEqual([2, 2]);
  });

  it('takes clients of others as dependencies, and their errors are answers', async () => {
    const cart = await startSupervised(world, Cart, { dependencies: [new Prices()] });
    const shop = await startSupervised(world, Shop, { dependencies: [cart] });
    expect(await shop.buy('tea')).toBe(1);
    expect(await rejectionOf(cart.find('mug'))).toBeInstanceOf(NotFoundException);
    expect(world.eventsOf('gen_server.crashed')).toEqual([]);
  });

  it('lets servers start it themselves, from the dependencies that it was given before', async () => {
    await startSupervised(world, Cart, { dependencies: [new Prices(10)] });
    const parent = await startSupervised(world, Parent);
    await parent.open();
    expect(await world.call('child cart', 'total')).toBe(0);
  });

  it('refuses a constructor that nothing is given for', async () => {
    const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('dependencies: [...]') };
    expect(await rejectionOf(startSupervised(world, Cart, {} as never))).toMatchObject(refusal);
    const parent = await startSupervised(world, Parent);
    expect(await rejectionOf(parent.open())).toMatchObject({ code: 'SERVER_EXITED', reason: refusal });
  });

  it('refuses dependencies that are none, options that nobody reads, and a class that is no server', async () => {
    for (const given of [{ dependencies: 1 }, { dependencies: [], restrat: 'permanent' }]) {
      expect(await rejectionOf(startSupervised(world, Cart, given as never))).toMatchObject({
        code: expect.stringMatching(/INVALID_ARGUMENT|GEN_SERVER_CONFIG/),
      });
    }
    class Plain extends GenServerBase<null> {}
    expect(await rejectionOf(startSupervised(world, Plain))).toMatchObject({ mistake: 'not_decorated' });
  });

  it('rejects when the name is taken, naming the holder, and as init does', async () => {
    const options = { dependencies: [new Prices()] } as const;
    const cart = await startSupervised(world, Cart, options);
    expect(await rejectionOf(startSupervised(world, Cart, options))).toMatchObject({
      code: 'ALREADY_STARTED',
      holder: String(world.whereis(cart)),
    });
    @GenServer()
    class Empty extends GenServerBase<null> {
      override init() {
        return error('nothing there');
      }
    }
    expect(await rejectionOf(startSupervised(world, Empty))).toMatchObject({
      code: 'START_FAILED',
      reason: 'nothing there',
    });
    @GenServer()
    class Idle extends GenServerBase<null> {
      override init() {
        return ignore();
      }
    }
    expect(await rejectionOf(startSupervised(world, Idle))).toMatchObject({ code: 'START_FAILED', reason: 'ignore' });
  });

  it('starts one of a class that is started on demand like any other, transient', async () => {
    @GenServer({ start: 'on_demand', idleMs: 100, supervisor: { maxChildren: 1 } })
    class Room extends GenServerBase<string> {
      override init(id: string) {
        return ok(id);
      }
      @HandleCall() id() {
        return reply(this.state);
      }
    }
    const room = await startSupervised(world, Room, { args: ['blue'] });
    expect(await room.id()).toBe('blue');
    await world.clock.advance(100);
    expect(world.whereis(room)).toBeUndefined();
  });
});

describe('startSupervised without a class', () => {
  const counter: Behaviour = {
    init: ([first]) => ok(first),
    handleCall: (by, _from, state) => reply((state as number) + (by as number), (state as number) + (by as number)),
    handleCast: () => {
      throw new Error('boom');
    },
  };

  it('starts a behaviour, gives its pid, and restarts it', async () => {
    const pid = await startSupervised(world, counter, { name: 'counter', args: [5] });
    expect(await world.call(pid, 2)).toBe(7);
    world.cast(pid, 'crash');
    await settle();
    expect(await world.call('counter', 2)).toBe(7);
  });

  it('starts several of one behaviour', async () => {
    const pids = [await startSupervised(world, counter), await startSupervised(world, counter)];
    expect(new Set(pids).size).toBe(2);
  });

  it('starts what a child spec says, a whole tree too', async () => {
    const source = blueprintOfBehaviour(counter);
    const pid = await startSupervised(
      world,
      supervisorChildSpec({ label: 'tree', children: [childSpec(source, { args: [1], name: 'leaf' })] }),
    );
    expect(await Supervisor.countChildren(world.runtime, pid)).toMatchObject({ active: 1 });
    expect(await world.call('leaf', 1)).toBe(2);
  });
});

describe('the end', () => {
  const lastWords = (label: string, said: string[], extra: Behaviour = {}): Behaviour => ({
    label,
    init: () => ok(null),
    terminate: (reason) => said.push(`${label}: ${String(reason)}`),
    ...extra,
  });

  it('stops the last one started first, then probes and whatever else is alive', async () => {
    const said: string[] = [];
    for (const label of ['a', 'b', 'c']) await startSupervised(world, lastWords(label, said));
    const probe = await TestProbe.start(world);
    await probe.self.startLink(lastWords('child of the probe', said));
    await world.stop();
    expect(said).toEqual(['c: shutdown', 'b: shutdown', 'a: shutdown', 'child of the probe: shutdown']);
    expect(world.runtime.processCount).toBe(0);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('turns a manual clock as far as a server that hangs takes', async () => {
    const said: string[] = [];
    const pid = await startSupervised(world, lastWords('a', said, { handleCast: () => never() }), {
      shutdownMs: 7_000,
    });
    const begin = world.clock.now();
    world.cast(pid, 'hang');
    await world.stop();
    expect(world.clock.now() - begin).toBe(7_000);
    expect(world.runtime.processCount).toBe(0);
  });

  it('happens once, and nothing starts afterwards', async () => {
    await Promise.all([world.stop(), world.stop()]);
    expect(await rejectionOf(startSupervised(world, { init: () => ok(null) }))).toMatchObject({
      code: 'START_FAILED',
      reason: 'shutdown',
    });
  });

  it('kills who is started by last words', async () => {
    const probe = await TestProbe.start(world);
    await probe.self.startLink(
      lastWords('a', [], { terminate: () => void probe.self.startLink({ init: () => ok(null) }) }),
    );
    await world.stop();
    expect(world.runtime.processCount).toBe(0);
  });

  it('ends when those who are killed die of one another', async () => {
    const probe = await TestProbe.start(world);
    const parent: Behaviour = {
      init: async (_args, self) => {
        await self.startLink({ init: () => ok(null) });
        return ok(null);
      },
    };
    await probe.self.startLink(
      lastWords('a', [], { terminate: async () => void (await start(world.runtime, blueprintOfBehaviour(parent))) }),
    );
    await world.stop();
    expect(world.runtime.processCount).toBe(0);
  });

  it('is left to the cleanup function that is given', async () => {
    const stops: (() => Promise<void>)[] = [];
    const own = new TestWorld({ cleanup: (stop) => stops.push(stop) });
    await TestProbe.start(own);
    await stops[0]!();
    expect(own.runtime.processCount).toBe(0);
  });

  it('works in real time too', async () => {
    const real = new TestWorld({ clock: systemClock, cleanup: onTestFinished });
    const cart = await startSupervised(real, Cart, { dependencies: [new Prices()] });
    expect(await cart.add('tea')).toBe(1);
    await real.stop();
    expect(real.runtime.processCount).toBe(0);
  });
});

describe('stopSupervised', () => {
  it('stops one for good, and its name can be taken again', async () => {
    const options = { dependencies: [new Prices()] } as const;
    const cart = await startSupervised(world, Cart, options);
    await stopSupervised(world, cart);
    expect(await rejectionOf(cart.total())).toMatchObject({ code: 'NO_PROCESS' });
    await startSupervised(world, Cart, options);
    expect(await cart.total()).toBe(0);
  });

  it('rejects for what startSupervised has not started', async () => {
    const probe = await TestProbe.start(world);
    for (const nobody of [probe, 'nobody']) {
      expect(await rejectionOf(stopSupervised(world, nobody))).toMatchObject({ code: 'NO_PROCESS' });
    }
  });
});

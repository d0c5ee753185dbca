import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type Clock,
  type Down,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerModule,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  type Pid,
  reply,
} from 'nestjs-genserver';
import { childSpec } from 'nestjs-genserver/core';
import {
  closeWith,
  explore,
  ManualClock,
  nameServiceContract,
  startSupervised,
  stopSupervised,
  TestProbe,
  TestWorld,
  withManualClock,
} from 'nestjs-genserver/testing';
import { expectType } from './expect-type.js';

class Prices {
  of(name: string): number {
    return name.length;
  }
}

@GenServer()
class Cart extends GenServerBase<readonly string[]> {
  constructor(private readonly prices: Prices) {
    super();
  }
  override init(owner: string, size = 10) {
    return ok<readonly string[]>([owner, String(size)]);
  }
  @HandleCall() total() {
    return reply(this.state.reduce((sum, item) => sum + this.prices.of(item), 0));
  }
  @HandleCast() clear() {
    return noReply([]);
  }
}

@GenServer()
class Plain extends GenServerBase<null> {}

@GenServer()
class Optional extends GenServerBase<null> {
  constructor(readonly prices = new Prices()) {
    super();
  }
}

// --- startSupervised -----------------------------------------------------------------------------------------------------

const world = new TestWorld();
const dependencies: [Prices] = [new Prices()];

const cart = await startSupervised(world, Cart, { dependencies, args: ['ada'], restart: 'transient', name: 'cart' });
expectType<typeof cart, GenServerClient<Cart>>(true);
expectType<ReturnType<typeof cart.total>, Promise<number>>(true);
await startSupervised(world, Cart, { dependencies: () => dependencies, args: () => ['ada', 5] });
await startSupervised(world, Plain);
await startSupervised(world, Plain, { args: [null] });
await startSupervised(world, Optional);
await startSupervised(world, Optional, { dependencies });
await stopSupervised(world, cart);

export const pid = await startSupervised(world, { init: () => ok(0) }, { name: 'counter', restart: 'temporary' });
expectType<typeof pid, Pid>(true);
export const child = (): Promise<Pid> =>
  startSupervised(world, childSpec({ definition: undefined!, create: () => new Plain() }));

// @ts-expect-error the constructor takes prices
await startSupervised(world, Cart);
// @ts-expect-error they are missing here too
await startSupervised(world, Cart, { args: ['ada'] });
// @ts-expect-error these are no prices
await startSupervised(world, Cart, { dependencies: [1] });
// @ts-expect-error init takes a string first
await startSupervised(world, Cart, { dependencies, args: [1] });
// @ts-expect-error an option that nobody reads
await startSupervised(world, Cart, { dependencies, restrat: 'permanent' });
// @ts-expect-error whoever starts it has said when
await startSupervised(world, Plain, { start: 'on_demand' });
// @ts-expect-error a class that is no server
await startSupervised(world, Prices);

// --- worlds and clocks ---------------------------------------------------------------------------------------------------

expectType<typeof world.clock, ManualClock>(true);
declare const clock: Clock;
const real = new TestWorld({ clock, cleanup: afterEach });
expectType<typeof real.clock, Clock>(true);
await startSupervised(real, Plain);
new TestWorld({ cleanup: onTestFinished });
// @ts-expect-error a clock of the runtime has no advance
await real.clock.advance(1);

const manual = new ManualClock({ startAt: new Date(0) });
export const total = (): Promise<number> => manual.advanceUntil(cart.total());

// --- probes --------------------------------------------------------------------------------------------------------------

class Tick {
  constructor(readonly count: number) {}
}

const probe = await TestProbe.start(world);
export const tick = await probe.expectMessage(Tick);
expectType<typeof tick, Tick>(true);
export const chosen = await probe.expectMessage((message: Tick) => message.count > 1, { withinMs: 5 });
expectType<typeof chosen, Tick>(true);
export const literal = await probe.expectMessage({ type: 'tick' });
expectType<typeof literal, { type: string }>(true);
export const any = await probe.expectMessage();
expectType<typeof any, unknown>(true);
export const down = await probe.expectDown(cart, 'normal');
expectType<typeof down, Down>(true);
await probe.expectNoMessage({ matching: Tick, withinMs: 5 });
// @ts-expect-error the unit is in the name
await probe.expectMessage(Tick, { within: 5 });
// @ts-expect-error a probe is made by start
new TestProbe();

// --- explore -------------------------------------------------------------------------------------------------------------

export const report = await explore(10, async ({ run, pausing, pause, random, world: own }) => {
  const prices: Prices = pausing(new Prices());
  prices.of('tea');
  const [one, two] = await run([() => 1, async () => 'two', () => pause()]);
  one.toFixed();
  two.toUpperCase();
  random().toFixed();
  await own.clock.advance(1);
});
expectType<typeof report.orders, number>(true);
// @ts-expect-error a scenario comes second
await explore(10);
// @ts-expect-error thunks, not promises: those run already
await explore(1, ({ run }) => run([Promise.resolve()]));

// --- applications and contracts ------------------------------------------------------------------------------------------

const builder = withManualClock(Test.createTestingModule({ imports: [GenServerModule.forRoot()] }), manual);
expectType<typeof builder, TestingModuleBuilder>(true);
await closeWith(manual, await builder.compile());

declare const maybe: Clock | undefined;
GenServerModule.forRoot({ clock: maybe, tracking: undefined, supervisor: undefined });

nameServiceContract(
  { describe, it, expect },
  { name: 'a', makeRegistry: (of) => of.registries.create('a', { keys: 'unique' }) },
);
// @ts-expect-error nothing is made
nameServiceContract({ describe, it, expect }, { name: 'a' });

import { Controller, Get, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerModule,
  GenServerRuntime,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  PubSubModule,
  replyStream,
  reply,
  TaskSupervisor,
} from 'nestjs-genserver';
import { droppedLines } from '../support/dropped-lines.mjs';

@GenServer({ trapExit: true })
class Counter extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() increment() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCast() add(by: number) {
    return noReply(this.state + by);
  }
  @HandleCall() numbers() {
    return replyStream(Array.from({ length: 1_000 }, (_, at) => at));
  }
  override terminate() {
    // Its supervisor waits for this.
    return Promise.resolve();
  }
}

@GenServer({ start: 'on_demand' })
class Cart extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() items() {
    return reply([]);
  }
}

const ended: string[] = [];

@Injectable()
class Database implements OnModuleDestroy {
  onModuleDestroy(): void {
    ended.push('database');
  }
}

@Controller()
class NoController {
  @Get() get() {
    return 'ok';
  }
}

const ALL = ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'Date', 'queueMicrotask'] as const;

afterEach(() => {
  vi.useRealTimers();
  ended.length = 0;
});

/** What may keep servers busy, or is under way, when the application is closed. Nobody lets the faked time pass. */
const BUSY: readonly (readonly [string, (world: World) => unknown])[] = [
  ['nothing was done', () => undefined],
  ['a call was answered', ({ counter }) => counter.increment()],
  [
    'more is queued than one turn handles',
    ({ counter }) => {
      for (let i = 0; i < 2_000; i++) counter.add(1);
    },
  ],
  [
    'calls are under way',
    ({ counter }) => void Array.from({ length: 1_000 }, () => counter.increment().catch(() => 0)),
  ],
  [
    'a stream was read that leaves turns to others',
    async ({ counter }) => {
      const read: number[] = [];
      for await (const item of await counter.numbers()) read.push(item);
      expect(read).toHaveLength(1_000);
    },
  ],
  ['keyed servers run', ({ carts }) => Promise.all(Array.from({ length: 300 }, (_, key) => carts.getOrStart(key)))],
  ['a task runs', ({ tasks }) => void tasks.async(() => new Promise(() => undefined))],
  ['the tree was restarted', ({ runtime }) => runtime.exit(Counter, 'kill')],
];

interface World {
  readonly counter: GenServerClient<Counter>;
  readonly carts: DynamicSupervisorClient<Cart>;
  readonly tasks: TaskSupervisor;
  readonly runtime: GenServerRuntime;
}

async function application() {
  const testing = await Test.createTestingModule({
    imports: [GenServerModule.forRoot({ onTreeExit: 'keep' }), PubSubModule.forRoot()],
    providers: [Counter, Cart, Database],
    controllers: [NoController],
  }).compile();
  const application = testing.createNestApplication({ logger: droppedLines });
  await application.init();
  return application;
}

describe.each([
  ['the usual ones', undefined],
  ['all there are', { toFake: [...ALL] }],
  ['setImmediate only', { toFake: ['setImmediate' as const] }],
])('under fake timers: %s', (_which, config) => {
  it.each(BUSY)('an application closes, when %s', async (_what, busy) => {
    vi.useFakeTimers(config);
    const app = await application();
    const world = {
      counter: app.get<GenServerClient<Counter>>(getGenServerToken(Counter)),
      carts: app.get<DynamicSupervisorClient<Cart>>(getDynamicSupervisorToken(Cart)),
      tasks: app.get(TaskSupervisor),
      runtime: app.get(GenServerRuntime),
    };
    await busy(world);
    await app.close();
    expect([ended, world.runtime.status]).toEqual([['database'], 'stopped']);
    expect(vi.isFakeTimers()).toBe(true);
  });

  it('an application closes that was booted before they were on', async () => {
    const app = await application();
    await app.get<GenServerClient<Counter>>(getGenServerToken(Counter)).increment();
    vi.useFakeTimers(config);
    await app.close();
    expect(ended).toEqual(['database']);
  });

  it('an application closes that was booted under them, when they are off again', async () => {
    vi.useFakeTimers(config);
    const app = await application();
    vi.useRealTimers();
    await app.close();
    expect(ended).toEqual(['database']);
  });
});

getGenServerToken(Counter);
getDynamicSupervisorToken(Cart);

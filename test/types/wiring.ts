import { Controller, Get, Injectable, Module } from '@nestjs/common';
import {
  CallResult,
  CastResult,
  type Clock,
  error,
  ExitReason,
  From,
  GenServer,
  GenServerBase,
  GenServerClient,
  type GenServerEvent,
  GenServerModule,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  InitResult,
  InjectGenServer,
  isCleanExit,
  noReply,
  ok,
  Pid,
  provideGenServer,
  reply,
  Supervisor,
  TimerRef,
  type ViaRegistry,
} from 'nestjs-genserver';
import { expectType } from './expect-type.js';

// --- plain imports in decorated signatures -------------------------------------------------------------------------------
// This file imports GenServerClient, CallResult, CastResult, InitResult, From and ExitReason like any class, without `type`.
// Under isolatedModules and emitDecoratorMetadata, which Nest's own tsconfig has on, a mere type would be refused (TS1272).

@GenServer()
export class Counter extends GenServerBase<number> {
  override init(first = 0): InitResult<number> {
    return ok(first);
  }
  @HandleCall() get(): CallResult<number, number> {
    return reply(this.state);
  }
  @HandleCall() async increment(by: number): Promise<CallResult<number, number>> {
    return reply(this.state + by, this.state + by);
  }
  @HandleCast() answer(_from: From<number>): CastResult<number> {
    return noReply();
  }
  @HandleCast() ended(_reason: ExitReason, _who: Pid, _timer: TimerRef): CastResult<number> {
    return noReply();
  }
  override terminate(reason: ExitReason) {
    if (isCleanExit(reason)) return;
  }
}

@Injectable()
export class Watcher {
  constructor(
    @InjectGenServer(Counter) readonly counter: GenServerClient<Counter>,
    readonly runtime: GenServerRuntime,
  ) {}

  onEvent(event: GenServerEvent): string {
    switch (event.type) {
      case 'supervisor.child_restarted':
        expectType<typeof event.childId, string>(true);
        return event.childId;
      case 'gen_server.crashed':
        return event.label;
      // @ts-expect-error there is no such event
      case 'gen_server.exploded':
        return '';
      default:
        return '';
    }
  }
}

@Controller()
export class CounterController {
  @InjectGenServer(Counter) private readonly counter!: GenServerClient<Counter>;

  constructor(@InjectGenServer(Counter, 'other') private readonly other: GenServerClient<Counter>) {}

  @Get() get(): Promise<number> {
    return this.counter.get();
  }
  @Get('other') getOther(): Promise<number> {
    return this.other.get();
  }
}

// --- options -------------------------------------------------------------------------------------------------------------

export const providers = [
  Counter,
  provideGenServer(Counter),
  provideGenServer(Counter, { name: 'other', args: [5], restart: 'transient', shutdownMs: 'brutal_kill' }),
  provideGenServer(Counter, {
    name: Symbol('third'),
    args: () => [Math.PI],
    startTimeoutMs: 100,
    callTimeoutMs: Infinity,
  }),
  provideGenServer(Counter, { name: { global: ['counter', 1] }, trapExit: true, drain: false, isolation: 'clone' }),
  // @ts-expect-error restart is one of three words
  provideGenServer(Counter, { restart: 'always' }),
  // @ts-expect-error durations end in Ms
  provideGenServer(Counter, { shutdown: 5 }),
  // @ts-expect-error the arguments are an array
  provideGenServer(Counter, { args: 5 }),
  // @ts-expect-error isolation is one of two words
  provideGenServer(Counter, { isolation: 'structured' }),
  // @ts-expect-error a number is no name
  provideGenServer(Counter, { name: 5 }),
];

@Supervisor({ strategy: 'rest_for_one', maxRestarts: 1, withinMs: 1_000 })
@Module({ imports: [GenServerModule.forFeature([Counter])], providers })
export class CounterModule {}

// @ts-expect-error strategies are spelt as OTP spells them
Supervisor({ strategy: 'oneForOne' });
// @ts-expect-error the period is withinMs
Supervisor({ maxSeconds: 5 });

declare const clock: Clock;
export const roots = [
  GenServerModule.forRoot(),
  GenServerModule.forRoot({ supervisor: { maxRestarts: 10 }, replyErrors: [TypeError], onTreeExit: 'keep', clock }),
  GenServerModule.forRoot({ onTreeExit: (reason: unknown) => void reason }),
  GenServerModule.forRootAsync({ useFactory: () => ({ onTreeExit: 'keep' }) }),
  GenServerModule.forRootAsync({ inject: [Watcher], useFactory: async (_watcher: Watcher) => ({}) }),
  // @ts-expect-error there is no such reaction
  GenServerModule.forRoot({ onTreeExit: 'restart' }),
];

expectType<ReturnType<typeof getGenServerToken>, symbol>(true);
getGenServerToken(Counter, 'other');
// @ts-expect-error the token belongs to a class
getGenServerToken('Counter');

declare const directory: ViaRegistry;
export const viaName = provideGenServer(Counter, { name: { via: directory, key: 'user:42' } });

// --- self ----------------------------------------------------------------------------------------------------------------

@GenServer()
export class Selfish extends GenServerBase<TimerRef> {
  override async init() {
    await this.self.startLink(Counter, { args: [1], name: 'child' });
    const timer = this.self.sendAfter(this.self.pid, 'tick', 1_000);
    expectType<typeof timer, TimerRef>(true);
    if (this.self.signal.aborted) return error('gone');
    return ok<TimerRef>(timer as never);
  }
  @HandleInfo('tick') protected tick() {
    const left = this.self.readTimer(this.state);
    expectType<typeof left, number | false>(true);
    if (left === false) return this.self.exit('normal');
    // @ts-expect-error what is cancelled is a timer
    this.self.cancelTimer(5);
    this.self.exit(Counter, 'kill');
    return noReply();
  }
}

// @ts-expect-error state, self and from are for the server itself
export const peek = (server: Counter) => [server.state, server.self];

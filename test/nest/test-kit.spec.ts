import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CastResult,
  type Clock,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerModule,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  reply,
} from 'nestjs-genserver';
import { closeWith, ManualClock, settle, TestProbe, withManualClock } from 'nestjs-genserver/testing';
import { rejectionOf } from '../support/thrown.js';

@GenServer({ shutdownMs: 5_000 })
class Session extends GenServerBase<string> {
  override init() {
    this.self.sendAfter(this.self.pid, 'expire', 60_000);
    return ok('open');
  }
  @HandleCall() state_() {
    return reply(this.state);
  }
  @HandleCast() hang() {
    return new Promise<CastResult<string>>(() => undefined);
  }
  @HandleCast() crash(): never {
    throw new Error('boom');
  }
  @HandleInfo('expire') protected onExpire() {
    return noReply('expired');
  }
}

class Consumer {
  constructor(@InjectGenServer(Session) readonly session: GenServerClient<Session>) {}
}

/** A module as it is written for production: with a clock of its own, or none. */
const appModule = (clock?: Clock) => {
  class AppModule {}
  Module({ imports: [GenServerModule.forRoot({ clock })], providers: [Session, Consumer] })(AppModule);
  return AppModule;
};

async function underTest(clock = new ManualClock()) {
  const builder = Test.createTestingModule({ imports: [appModule()] });
  const app = await withManualClock(builder, clock).compile();
  app.useLogger(false);
  onTestFinished(() => closeWith(clock, app));
  await app.init();
  const session = app.get<GenServerClient<Session>>(getGenServerToken(Session), { strict: false });
  return { clock, app, session, runtime: app.get(GenServerRuntime) };
}

describe('withManualClock', () => {
  it("turns the time of an application's servers by hand, whatever its modules say", async () => {
    const { clock, session } = await underTest();
    await clock.advance(59_999);
    expect(await session.state_()).toBe('open');
    await clock.advance(1);
    expect(await session.state_()).toBe('expired');
  });

  it('lets the Node process live when the tree gives up', async () => {
    const { runtime, session } = await underTest();
    for (let crash = 0; crash < 16; crash++) {
      session.crash();
      await settle();
    }
    expect(runtime.status).toBe('gave_up');
  });

  it('lets probes into the application', async () => {
    const { session, runtime } = await underTest();
    const probe = await TestProbe.start(runtime, { name: 'probe' });
    probe.monitor(session);
    runtime.send('probe', 'hello');
    await probe.expectMessage('hello');
    session.crash();
    await probe.expectDown(session, expect.objectContaining({ message: 'boom' }));
  });
});

describe('closeWith', () => {
  it('gives a server that hangs its time on the clock, and then it is killed', async () => {
    const { clock, app, session, runtime } = await underTest();
    session.hang();
    const begin = clock.now();
    await closeWith(clock, app);
    expect(clock.now() - begin).toBe(5_000);
    expect(runtime.stopReport!.stopped).toMatchObject([{ server: 'Session', reason: 'killed' }]);
  });

  it('rejects as close() does', async () => {
    const failing = { close: () => Promise.reject(new Error('no')) };
    expect(await rejectionOf(closeWith(new ManualClock(), failing))).toEqual(new Error('no'));
  });
});

describe('GenServerModule.forRoot', () => {
  it('takes a clock that may be undefined', async () => {
    const app = await Test.createTestingModule({ imports: [appModule(undefined)] }).compile();
    app.useLogger(false);
    await app.init();
    expect(app.get(GenServerRuntime).isReady).toBe(true);
    await app.close();
  });
});

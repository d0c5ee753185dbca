import { Injectable } from '@nestjs/common';
import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  AlreadyStartedError,
  CallTimeoutError,
  Down,
  GenServer,
  GenServerBase,
  type GenServerEvent,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleInfo,
  InvalidArgumentError,
  NoProcessError,
  noReply,
  ok,
  Pid,
  prettyPrint,
  provideGenServer,
  reply,
  ServerExitedError,
  StartError,
  UnknownHandlerError,
} from 'nestjs-genserver';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, moduleOf, started } from './support/application.js';

@Injectable()
class Prices {
  readonly of = (item: string) => item.length;
}

@GenServer()
class Cart extends GenServerBase<readonly unknown[]> {
  constructor(private readonly prices: Prices) {
    super();
  }
  override init(...first: unknown[]) {
    return ok(first as readonly unknown[]);
  }
  @HandleCall() items() {
    return reply(this.state);
  }
  @HandleCall() price(item: string) {
    return reply(this.prices.of(item));
  }
  @HandleCall() wait() {
    return this.from<number>().later();
  }
  @HandleCast() add(...items: unknown[]) {
    return noReply([...this.state, ...items]);
  }
  @HandleCast() crash() {
    throw new Error('boom');
    return noReply();
  }
  @HandleInfo() onInfo(message: unknown) {
    return noReply([...this.state, message]);
  }
}

async function cart(clock?: ManualClock) {
  const application = await started({
    imports: [moduleOf('CartModule', { providers: [Prices, Cart, provideGenServer(Cart, { name: 'other' })] })],
    options: { clock },
  });
  return { application, runtime: application.get(GenServerRuntime) };
}

describe('GenServerRuntime', () => {
  it('is injected anywhere, without an import', async () => {
    @Injectable()
    class Health {
      constructor(readonly runtime: GenServerRuntime) {}
    }
    const application = await started({ imports: [moduleOf('HealthModule', { providers: [Health] })] });
    expect(application.get(Health, { strict: false }).runtime.isReady).toBe(true);
  });

  describe('call, cast and send', () => {
    it('reach a server by class, name, pid and client', async () => {
      const { runtime } = await cart();
      for (const destination of [Cart, 'other', runtime.whereis(Cart)!, runtime.client<Cart>('other')]) {
        runtime.cast(destination, 'add', ['a']);
        runtime.send(destination, { type: 'b' });
        expect(await runtime.call<unknown[]>(destination, 'items')).toEqual(
          expect.arrayContaining(['a', { type: 'b' }]),
        );
      }
    });

    it('pass none, one or many arguments', async () => {
      const { runtime } = await cart();
      runtime.cast(Cart, 'add');
      runtime.cast(Cart, 'add', ['a']);
      runtime.cast(Cart, 'add', ['b', undefined, 'c']);
      expect(await runtime.call(Cart, 'items', [])).toEqual(['a', 'b', undefined, 'c']);
      expect(await runtime.call(Cart, 'price', ['apple'])).toBe(5);
    });

    it('a call takes a timeout of its own', async () => {
      const clock = new ManualClock();
      const { runtime } = await cart(clock);
      const error = rejectionOf(runtime.call(Cart, 'wait', [], { timeoutMs: 50 }));
      await clock.advance(50);
      expect(await error).toBeInstanceOf(CallTimeoutError);
      expect(await error).toMatchObject({
        server: 'Cart',
        timeoutMs: 50,
        phase: 'answered_later',
        message:
          'Cart did not answer wait() within 50 ms: it is handled, but not answered yet. ' +
          'The request is handled all the same; raise timeoutMs if it needs longer.',
      });
    });
  });

  describe('start', () => {
    it('starts one more process of a listed class, with its dependencies, linked to nobody', async () => {
      const { runtime } = await cart();
      const pid = await runtime.start(Cart, { name: 'mine', args: ['first'] });
      expect(runtime.whereis('mine')).toBe(pid);
      expect(await runtime.call(pid, 'items')).toEqual(['first']);
      expect(await runtime.call(pid, 'price', ['apple'])).toBe(5);
      const { down } = runtime.monitor(pid);
      runtime.cast(pid, 'crash');
      expect((await down).reason).toMatchObject({ message: 'boom' });
      expect(runtime.whereis('mine')).toBeUndefined();
      expect(runtime.status).toBe('running');
    });

    it('does as the options of the class say where it is told nothing else', async () => {
      @GenServer({ args: ['from the class'], isolation: 'clone', startTimeoutMs: 60_000 })
      class Configured extends GenServerBase<unknown> {
        override init(...args: unknown[]) {
          return ok({ args } as unknown);
        }
        @HandleCall() read() {
          return reply(this.state as { args: unknown[] });
        }
      }
      const application = await started({ providers: [Configured] });
      const runtime = application.get(GenServerRuntime);
      const pid = await runtime.start(Configured);
      const client = runtime.client<Configured>(pid);
      expect(await client.read()).toEqual({ args: ['from the class'] });
      expect(await client.read()).not.toBe(await client.read());
      const other = await runtime.start(Configured, { args: ['mine'], isolation: 'none' });
      expect(await runtime.call(other, 'read')).toEqual({ args: ['mine'] });
      expect(await runtime.call(other, 'read')).toBe(await runtime.call(other, 'read'));
    });

    it('rejects when the name is taken, naming the holder', async () => {
      const { runtime } = await cart();
      const error = await rejectionOf(runtime.start(Cart, { name: 'other' }));
      expect(error).toBeInstanceOf(AlreadyStartedError);
      expect(error).toMatchObject({
        serverName: "'other'",
        message:
          `'other' is already started: ${runtime.whereis('other')!.toString()} holds the name. ` +
          'Stop it first, or start this one under another name.',
      });
    });

    it('rejects for a class that no module lists', async () => {
      @GenServer()
      class Stranger extends GenServerBase<null> {}
      const { runtime } = await cart();
      const error = await rejectionOf(runtime.start(Stranger));
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error).toMatchObject({ message: expect.stringContaining('Cannot start Stranger: ') });
      expect(error).not.toMatchObject({ message: expect.stringContaining('{') });
    });

    it('rejects when init fails', async () => {
      @GenServer()
      class Broken extends GenServerBase<number> {
        override init(isBroken = false) {
          if (isBroken) throw new Error('no disk');
          return ok(0);
        }
      }
      const application = await started({ providers: [Broken] });
      const error = await rejectionOf(application.get(GenServerRuntime).start(Broken, { args: [true] }));
      expect(error).toBeInstanceOf(StartError);
      expect(error).toMatchObject({ message: 'Broken did not start: Error: no disk', reason: { message: 'no disk' } });
    });
  });

  describe('stop and exit', () => {
    it('stop ends a process after what is queued, and resolves when its name is free', async () => {
      const { runtime } = await cart();
      const pid = await runtime.start(Cart, { name: 'mine' });
      runtime.cast(pid, 'add', ['a']);
      const items = runtime.call(pid, 'items');
      await runtime.stop('mine');
      expect(await items).toEqual(['a']);
      expect(runtime.whereis('mine')).toBeUndefined();
    });

    it('a supervised server that is stopped is started again as its restart type says', async () => {
      const { runtime } = await cart();
      const first = runtime.whereis(Cart)!;
      await runtime.stop(Cart, 'shutdown');
      await settle();
      expect(runtime.whereis(Cart)).toMatchObject({ id: first.id, incarnation: 1 });
    });

    it('exit ends a process at once with kill, and is silent when nobody is there', async () => {
      const { runtime } = await cart();
      const pid = await runtime.start(Cart);
      const { down } = runtime.monitor(pid);
      runtime.exit(pid, 'kill');
      expect((await down).reason).toBe('killed');
      runtime.exit(pid, 'kill');
      runtime.exit('nobody', 'kill');
    });
  });

  describe('monitor and down$', () => {
    it('tell once why and who', async () => {
      const { runtime } = await cart();
      const pid = await runtime.start(Cart, { name: 'mine' });
      const monitoring = runtime.monitor('mine');
      const seen = firstValueFrom(runtime.down$(pid).pipe(toArray()));
      await runtime.stop('mine', 'shutdown');
      const down = await monitoring.down;
      expect(down).toBeInstanceOf(Down);
      expect(down).toEqual({ ref: monitoring.ref, pid, object: 'mine', reason: 'shutdown' });
      expect(await seen).toMatchObject([{ pid, object: pid, reason: 'shutdown' }]);
      expect(monitoring.demonitor()).toBe(false);
    });

    it('watch one incarnation, not the name', async () => {
      const { runtime } = await cart();
      const first = runtime.whereis(Cart);
      const { down } = runtime.monitor(Cart);
      runtime.cast(Cart, 'crash');
      expect(await down).toMatchObject({ pid: first, reason: { message: 'boom' } });
    });

    it('say noproc when nobody is there', async () => {
      const { runtime } = await cart();
      const monitoring = runtime.monitor('nobody');
      expect(await monitoring.down).toMatchObject({ pid: undefined, object: 'nobody', reason: 'noproc' });
      expect(monitoring.demonitor()).toBe(false);
      expect(await firstValueFrom(runtime.down$('nobody'))).toMatchObject({ reason: 'noproc' });
    });

    it('end with demonitor and unsubscribe', async () => {
      const { runtime } = await cart();
      const pid = await runtime.start(Cart);
      const seen: unknown[] = [];
      const monitoring = runtime.monitor(pid);
      void monitoring.down.then((down) => seen.push(down));
      const subscription = runtime.down$(pid).subscribe((down) => seen.push(down));
      expect(monitoring.demonitor()).toBe(true);
      subscription.unsubscribe();
      await runtime.stop(pid);
      await settle();
      expect(seen).toEqual([]);
    });
  });

  it('events$ tells its subscribers everything as it happens', async () => {
    const application = await compiled({ imports: [moduleOf('CartModule', { providers: [Prices, Cart] })] });
    const runtime = application.get(GenServerRuntime);
    const seen: GenServerEvent['type'][] = [];
    const subscription = runtime.events$.subscribe(({ type }) => seen.push(type));
    await application.init();
    expect(seen.filter((type) => type === 'process.spawned')).toHaveLength(3);
    expect(seen).toContain('supervisor.started');
    runtime.cast(Cart, 'crash');
    await settle();
    expect(seen).toContain('gen_server.crashed');
    expect(seen).toContain('supervisor.child_restarted');
    subscription.unsubscribe();
    const count = seen.length;
    await application.close();
    expect(seen).toHaveLength(count);
  });

  describe('tree and printTree', () => {
    it('show the tree as plain data and as a drawing', async () => {
      const { runtime } = await cart();
      const tree = runtime.tree()!;
      const worker = { type: 'worker', status: 'running', queueLength: 0, incarnation: 0, children: [], label: 'Cart' };
      expect(JSON.parse(JSON.stringify(tree))).toMatchObject({
        ...worker,
        id: null,
        pid: expect.stringMatching(/^<0\.\d+\.0>$/),
        label: 'application',
        name: null,
        type: 'supervisor',
        children: [
          {
            ...worker,
            id: "'CartModule'",
            pid: expect.any(String),
            label: 'CartModule',
            name: null,
            type: 'supervisor',
            children: [
              { ...worker, id: 'Cart', name: 'Cart', pid: runtime.whereis(Cart)?.toString() },
              { ...worker, id: "'other'", name: "'other'", pid: runtime.whereis('other')?.toString() },
            ],
          },
        ],
      });
      expect(runtime.printTree()).toBe(prettyPrint(tree));
      expect(runtime.printTree().replace(/<0\.\d+\.\d+>/g, '<pid>')).toBe(
        [
          'application <pid> running',
          '└── CartModule <pid> running',
          '    ├── Cart <pid> running',
          "    └── Cart 'other' <pid> running",
        ].join('\n'),
      );
    });

    it('show nothing before the start and after the end', async () => {
      const application = await compiled({ providers: [Prices, Cart] });
      const runtime = application.get(GenServerRuntime);
      expect(runtime.tree()).toBeUndefined();
      expect(runtime.printTree()).toBe('(no supervision tree)');
      await application.init();
      expect(runtime.tree()).toBeDefined();
      await application.close();
      expect(runtime.tree()).toBeUndefined();
      expect(runtime.printTree()).toBe('(no supervision tree)');
    });
  });
});

describe('input that makes no sense', () => {
  const junk = [null, undefined, 1, '', {}, [], true];

  it.each(junk)('%o is no destination', async (destination) => {
    const { runtime } = await cart();
    const to = destination as never;
    const before = runtime.printTree();
    for (const error of [
      await rejectionOf(runtime.call(to, 'items')),
      await rejectionOf(runtime.stop(to)),
      thrownBy(() => runtime.cast(to, 'add')),
      thrownBy(() => runtime.send(to, 'hello')),
      thrownBy(() => runtime.exit(to, 'kill')),
      thrownBy(() => runtime.whereis(to)),
      thrownBy(() => runtime.monitor(to)),
      thrownBy(() => runtime.client(to)),
      await rejectionOf(firstValueFrom(runtime.down$(to))),
    ]) {
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(
          /^A destination must be a pid, a name, \{ global \}, \{ via, key \}, \{ server, key \} or a client, got: /,
        ),
      });
    }
    expect(runtime.printTree()).toBe(before);
  });

  it.each([-1, NaN, '5'])('%o is no timeout', async (timeoutMs) => {
    const { runtime } = await cart();
    const pid = runtime.whereis(Cart)!;
    for (const error of [
      await rejectionOf(runtime.call(Cart, 'items', [], { timeoutMs: timeoutMs as never })),
      await rejectionOf(runtime.stop(Cart, 'normal', timeoutMs as never)),
      await rejectionOf(runtime.start(Cart, { startTimeoutMs: timeoutMs as never })),
      thrownBy(() => runtime.client<Cart>(Cart).with({ timeoutMs: timeoutMs as never })),
    ]) {
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error).toMatchObject({ message: expect.stringContaining('must be a number of milliseconds, 0 or more') });
    }
    expect(runtime.whereis(Cart)).toBe(pid);
  });

  it.each([
    [{ isolation: 'bogus' }, /isolation of Cart must be 'none' or 'clone'/],
    [{ trapExit: 'no' }, /trapExit of Cart must be true or false/],
    [{ args: 5 }, /args of Cart must be an array/],
  ])('%o are no options of a start', async (options, message) => {
    const { runtime } = await cart();
    const error = await rejectionOf(runtime.start(Cart, options as never));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string });
  });

  it('an unknown name or a dead pid is nobody', async () => {
    const { runtime } = await cart();
    const dead = await runtime.start(Cart);
    await runtime.stop(dead);
    for (const destination of ['nobody', Symbol('nobody'), { global: 'nobody' }, dead]) {
      const error = await rejectionOf(runtime.call(destination, 'items'));
      expect(error).toBeInstanceOf(NoProcessError);
      expect(error).toMatchObject({
        message: expect.stringMatching(/^No process: .*It was never started, or has ended\.$/),
      });
      expect(await rejectionOf(runtime.stop(destination))).toBeInstanceOf(NoProcessError);
      expect(runtime.whereis(destination)).toBeUndefined();
      runtime.cast(destination, 'add');
      runtime.exit(destination, 'kill');
    }
    expect(thrownBy(() => runtime.send('nobody', 'hello'))).toBeInstanceOf(NoProcessError);
    runtime.send(dead, 'hello');
  });

  it('a name that is no handler is refused at the sender, and nothing is queued', async () => {
    const { runtime } = await cart();
    const refused = await rejectionOf(runtime.call(Cart, 'itmes'));
    expect(refused).toBeInstanceOf(UnknownHandlerError);
    expect(refused).toMatchObject({
      name: 'UnknownHandlerError',
      code: 'UNKNOWN_HANDLER',
      server: 'Cart',
      kind: 'call',
      handler: 'itmes',
      message:
        "Cart has no call handler named 'itmes'. Decorate a method with @HandleCall(), or use one of: 'items', 'price', 'wait'",
    });
    expect(thrownBy(() => runtime.cast(Cart, 'items'))).toMatchObject({
      kind: 'cast',
      message:
        "Cart has no cast handler named 'items'. Decorate a method with @HandleCast(), or use one of: 'add', 'crash'",
    });
    expect(runtime.tree()).toMatchObject({ children: [{ children: [{ queueLength: 0 }, { queueLength: 0 }] }] });
  });

  it('a stop that ends otherwise rejects with how it ended', async () => {
    @GenServer()
    class Stubborn extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      override terminate() {
        throw new Error('cannot');
      }
    }
    const application = await started({ providers: [Stubborn] });
    const runtime = application.get(GenServerRuntime);
    const error = await rejectionOf(runtime.stop(await runtime.start(Stubborn)));
    expect(error).toBeInstanceOf(ServerExitedError);
    expect(error).toMatchObject({ reason: { message: 'cannot' } });
  });

  it('a pid of another application is nobody here', async () => {
    const [one, two] = [await cart(), await cart()];
    const stranger = one.runtime.whereis(Cart)!;
    expect(stranger).toBeInstanceOf(Pid);
    expect(two.runtime.whereis(Cart)).not.toBe(stranger);
  });
});

import { describe, expect, it } from 'vitest';
import {
  type CallResult,
  CallTimeoutError,
  Exit,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  noReply,
  ok,
  reply,
  Timeout,
  UnknownHandlerError,
} from 'nestjs-genserver';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { started } from './support/application.js';

describe('handlers of a base class', () => {
  abstract class Collection<T> extends GenServerBase<readonly T[]> {
    override init() {
      return ok([] as readonly T[]);
    }
    @HandleCall() all() {
      return reply(this.state);
    }
    @HandleCall() size() {
      return reply(this.state.length);
    }
    @HandleCast() add(item: T) {
      return noReply([...this.state, item]);
    }
    @HandleInfo('clear') onClear(_message: unknown) {
      return noReply([] as readonly T[]);
    }
  }

  @GenServer()
  class Names extends Collection<string> {
    override size() {
      return reply(-this.state.length);
    }
    @HandleCast() override add(item: string) {
      return noReply([...this.state, item.toUpperCase()]);
    }
    @HandleInfo('reset') override onClear(message: unknown) {
      return noReply([message as string]);
    }
  }

  async function names() {
    const application = await started({ providers: [Names] });
    return application.get<GenServerClient<Names>>(getGenServerToken(Names));
  }

  it('are inherited, with the type of a generic base', async () => {
    const client = await names();
    client.add('ann');
    const all: readonly string[] = await client.all();
    expect(all).toEqual(['ANN']);
  });

  it('keep their decoration when they are overridden without one', async () => {
    const client = await names();
    client.add('ann');
    expect(await client.size()).toBe(-1);
  });

  it('take the messages of the override, and no longer their own, when it says which', async () => {
    const application = await started({ providers: [Names] });
    const runtime = application.get(GenServerRuntime);
    runtime.cast(Names, 'add', ['ann']);
    runtime.send(Names, 'clear');
    expect(await runtime.call(Names, 'all')).toEqual(['ANN']);
    runtime.send(Names, 'reset');
    expect(await runtime.call(Names, 'all')).toEqual(['reset']);
  });

  it('are overridden by a class of the same name, too', async () => {
    const Base = Names;
    const heir = (() => {
      @GenServer()
      class Names extends Base {
        @HandleCall() override all() {
          return reply(['heir'] as readonly string[]);
        }
      }
      return Names;
    })();
    const application = await started({ providers: [heir] });
    expect(await application.get(GenServerRuntime).call(heir, 'all')).toEqual(['heir']);
  });

  it('belong to each heir alone', async () => {
    @GenServer()
    class Numbers extends Collection<number> {
      @HandleCall() sum() {
        return reply(this.state.reduce((sum, item) => sum + item, 0));
      }
    }
    const application = await started({ providers: [Names, Numbers] });
    const runtime = application.get(GenServerRuntime);
    expect(await runtime.call(Numbers, 'sum')).toBe(0);
    expect(await rejectionOf(runtime.call(Names, 'sum'))).toBeInstanceOf(UnknownHandlerError);
  });

  it('may come from a mixin', async () => {
    type Base = abstract new (...args: any[]) => GenServerBase<number>; // eslint-disable-line @typescript-eslint/no-explicit-any -- what TypeScript asks of a mixin
    const Resettable = <B extends Base>(Server: B) => {
      abstract class Mixed extends Server {
        @HandleCast() reset() {
          return noReply(0);
        }
      }
      return Mixed;
    };
    abstract class Numeric extends GenServerBase<number> {
      override init() {
        return ok(1);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    @GenServer()
    class Counter extends Resettable(Numeric) {}
    const application = await started({ providers: [Counter] });
    const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
    expect(await counter.read()).toBe(1);
    counter.reset();
    expect(await counter.read()).toBe(0);
  });
});

describe('a handler under a symbol', () => {
  const secret = Symbol('secret');
  @GenServer()
  class Vault extends GenServerBase<string> {
    override init() {
      return ok('gold');
    }
    @HandleCall() [secret]() {
      return reply(this.state);
    }
  }

  it('is called by the symbol, on the client and through the runtime', async () => {
    const application = await started({ providers: [Vault] });
    const vault = application.get<GenServerClient<Vault>>(getGenServerToken(Vault));
    expect(await vault[secret]()).toBe('gold');
    expect(await vault.with({ timeoutMs: 100 })[secret]()).toBe('gold');
    expect(await application.get(GenServerRuntime).call(Vault, secret)).toBe('gold');
  });
});

describe('@HandleInfo', () => {
  class Item {
    constructor(readonly name: string) {}
  }
  class SpecialItem extends Item {}
  const tag = Symbol('tag');

  @GenServer({ trapExit: true })
  class Listener extends GenServerBase<readonly string[]> {
    override init() {
      return ok([] as readonly string[]);
    }
    @HandleCall() heard() {
      return reply(this.state);
    }
    @HandleCall() soon() {
      return reply(1).timeout(10);
    }
    @HandleInfo('text')
    @HandleInfo(tag)
    @HandleInfo(Item)
    protected onSome(message: unknown) {
      return this.hear('some', message);
    }
    @HandleInfo(SpecialItem) protected onSpecial(item: SpecialItem) {
      return this.hear('special', item.name);
    }
    @HandleInfo(Timeout) protected onTimeout() {
      return this.hear('timeout', '');
    }
    @HandleInfo(Exit) protected onExit({ reason }: Exit) {
      return this.hear('exit', reason);
    }
    @HandleInfo() protected onRest(message: unknown) {
      return this.hear('rest', message);
    }
    private hear(what: string, message: unknown) {
      return noReply([...this.state, `${what} ${typeof message === 'symbol' ? 'symbol' : JSON.stringify(message)}`]);
    }
  }

  it('finds the handler by string, symbol, type field or class, the nearest class first, else the rest', async () => {
    const application = await started({ providers: [Listener] });
    const runtime = application.get(GenServerRuntime);
    for (const message of ['text', tag, { type: 'text' }, new Item('a'), new SpecialItem('b'), 'other', 7, null]) {
      runtime.send(Listener, message);
    }
    runtime.exit(Listener, 'odd');
    expect(await runtime.call(Listener, 'heard')).toEqual([
      'some "text"',
      'some symbol',
      'some {"type":"text"}',
      'some {"name":"a"}',
      'special "b"',
      'rest "other"',
      'rest 7',
      'rest null',
      'exit "odd"',
    ]);
  });

  it('gets the timeout that a result asked for', async () => {
    const clock = new ManualClock();
    const application = await started({ providers: [Listener], options: { clock } });
    const runtime = application.get(GenServerRuntime);
    await runtime.call(Listener, 'soon');
    await clock.advance(10);
    expect(await runtime.call(Listener, 'heard')).toEqual(['timeout ""']);
  });
});

describe('a name that is no call or cast handler', () => {
  const ran: string[] = [];
  @GenServer()
  class Guarded extends GenServerBase<number> {
    override init() {
      return ok(1);
    }
    @HandleCall() read() {
      return reply(this.state);
    }
    @HandleCast() write(value: number) {
      return noReply(value);
    }
    @HandleInfo('tick') protected onTick() {
      ran.push('onTick');
      return noReply();
    }
    @HandleContinue('more') protected onMore() {
      ran.push('onMore');
      return noReply();
    }
    undecorated() {
      ran.push('undecorated');
      return reply(1);
    }
    protected helper() {
      ran.push('helper');
      return reply(1);
    }
    get getter() {
      ran.push('getter');
      return 1;
    }
    override terminate() {
      ran.push('terminate');
    }
  }

  const names = [
    ...['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf', '__defineGetter__'],
    ...['init', 'terminate', 'state', 'self', 'from', 'then', '', 'read ', 'READ'],
    ...['onTick', 'onMore', 'tick', 'more', 'undecorated', 'helper', 'getter'],
    ...[Symbol('read'), Symbol.iterator, 0, null, undefined, {}, ['read']],
  ] as readonly string[];

  it.each(names)('is refused at the sender and never invoked: %o', async (name) => {
    const application = await started({ providers: [Guarded] });
    const runtime = application.get(GenServerRuntime);
    ran.length = 0;
    expect(await rejectionOf(runtime.call(Guarded, name))).toBeInstanceOf(UnknownHandlerError);
    expect(thrownBy(() => runtime.cast(Guarded, name))).toBeInstanceOf(UnknownHandlerError);
    expect(await rejectionOf(runtime.call(Guarded, 'write'))).toBeInstanceOf(UnknownHandlerError);
    expect(thrownBy(() => runtime.cast(Guarded, 'read'))).toBeInstanceOf(UnknownHandlerError);
    expect(await runtime.call(Guarded, 'read')).toBe(1);
    expect(ran).toEqual([]);
  });
});

describe('a promise in place of a reply', () => {
  it('is a bad return value, and its own rejection is reported nowhere else', async () => {
    @GenServer()
    class Hasty extends GenServerBase<number> {
      override init() {
        return ok(0);
      }
      @HandleCall() promise() {
        // The compiler refuses a promise; JavaScript does not.
        const value: string = Promise.reject(new Error('nobody awaits me')) as never;
        return reply(value);
      }
      @HandleCall() count() {
        return reply(this.state);
      }
    }
    const application = await started({ providers: [Hasty] });
    const client = application.get<GenServerClient<Hasty>>(getGenServerToken(Hasty));
    expect(await rejectionOf(client.promise())).toMatchObject({
      code: 'SERVER_EXITED',
      cause: { code: 'BAD_RETURN_VALUE', message: expect.stringContaining('await it first') as string },
    });
    expect(await client.count()).toBe(0);
  });
});

describe('the timeout of a call', () => {
  @GenServer({ callTimeoutMs: 300 })
  class Slow extends GenServerBase<null> {
    override init() {
      return ok(null);
    }
    @HandleCall() plain(): CallResult<number, null> {
      return this.from<number>().later();
    }
    @HandleCall({ timeoutMs: 200 }) hasty(): CallResult<number, null> {
      return this.from<number>().later();
    }
    @HandleCall({ timeoutMs: Infinity }) patient(): CallResult<number, null> {
      return this.from<number>().later();
    }
  }
  @GenServer()
  class Unsaid extends GenServerBase<null> {
    override init() {
      return ok(null);
    }
    @HandleCall() plain(): CallResult<number, null> {
      return this.from<number>().later();
    }
  }

  async function slow() {
    const clock = new ManualClock();
    const application = await started({ providers: [Slow, Unsaid], options: { clock } });
    const runtime = application.get(GenServerRuntime);
    const client = runtime.client<Slow>(Slow);
    /** How long a call waits, as the error says and as the clock says. */
    const limitOf = async (call: Promise<unknown>, expected: number) => {
      let error: unknown;
      call.catch((reason: unknown) => (error = reason));
      await clock.advance(expected - 1);
      expect(error).toBeUndefined();
      await clock.advance(1);
      expect(error).toBeInstanceOf(CallTimeoutError);
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', timeoutMs: expected });
    };
    return { clock, runtime, client, limitOf };
  }

  it('is that of the use, else of the handler, else of the server, else 5 000 ms', async () => {
    const { runtime, client, limitOf } = await slow();
    await limitOf(client.with({ timeoutMs: 100 }).hasty(), 100);
    await limitOf(client.with({ timeoutMs: 100 }).plain(), 100);
    await limitOf(client.hasty(), 200);
    await limitOf(client.plain(), 300);
    await limitOf(runtime.client<Unsaid>(Unsaid).plain(), 5_000);
  });

  it('is the same through the runtime and for an injected client', async () => {
    const { runtime, limitOf } = await slow();
    await limitOf(runtime.call(Slow, 'hasty', [], { timeoutMs: 100 }), 100);
    await limitOf(runtime.call(Slow, 'hasty'), 200);
    await limitOf(runtime.call(Slow, 'plain'), 300);
    await limitOf(runtime.call(Unsaid, 'plain'), 5_000);
  });

  it('may be none, by handler or by use', async () => {
    const { clock, client } = await slow();
    let settled = 0;
    const count = () => settled++;
    client.patient().then(count, count);
    client.with({ timeoutMs: Infinity }).hasty().then(count, count);
    await clock.advance(10_000_000);
    await settle();
    expect(settled).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

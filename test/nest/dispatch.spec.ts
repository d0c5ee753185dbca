import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerRuntime,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  noReply,
  ok,
  reply,
  UnknownHandlerError,
} from 'nestjs-genserver';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, started } from './support/application.js';

/** What ran that nobody may reach by a name. */
const ran: string[] = [];
const CANARY = 'canary-of-the-state';
const mine = Symbol('mine');

abstract class Fortress extends GenServerBase<{ secret: string }> {
  #key = 1;
  override init(_key?: unknown) {
    ran.length = 0;
    return ok({ secret: CANARY });
  }
  @HandleCall() ping() {
    return reply('pong');
  }
  @HandleCast() poke() {
    return noReply();
  }
  @HandleInfo('tick') protected onTick() {
    return noReply();
  }
  @HandleContinue('more') protected onMore() {
    ran.push('onMore');
    return noReply();
  }
  undecorated() {
    ran.push('undecorated');
    return reply(this.#key);
  }
  protected guarded() {
    ran.push('guarded');
  }
  #private() {
    ran.push('#private');
  }
  [mine]() {
    ran.push('mine', String(this.#private));
  }
  get getter() {
    ran.push('getter');
    return 1;
  }
  override formatStatus() {
    ran.push('formatStatus');
    return null;
  }
  override codeChange() {
    ran.push('codeChange');
    return ok({ secret: '' });
  }
  override onConfigChange() {
    ran.push('onConfigChange');
    return noReply();
  }
  override terminate() {
    ran.push('terminate');
  }
}

@GenServer()
class Keep extends Fortress {}
@GenServer({ start: 'on_demand' })
class Tower extends Fortress {}

const NAMES: readonly (string | symbol)[] = [
  ...[
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'toLocaleString',
    'valueOf',
    'hasOwnProperty',
    'isPrototypeOf',
  ],
  ...['__defineGetter__', '__defineSetter__', '__lookupGetter__', 'propertyIsEnumerable', 'toJSON', 'inspect', 'call'],
  ...[
    'then',
    'catch',
    'finally',
    'apply',
    'bind',
    'arguments',
    'caller',
    'length',
    'name',
    '$$typeof',
    'asymmetricMatch',
  ],
  ...[
    'onModuleInit',
    'onModuleDestroy',
    'onApplicationBootstrap',
    'beforeApplicationShutdown',
    'onApplicationShutdown',
  ],
  ...['init', 'terminate', 'codeChange', 'formatStatus', 'onConfigChange', 'state', 'self', 'from', 'getter'],
  ...['undecorated', 'guarded', 'private', '#private', '#key', 'onTick', 'onMore', 'more', 'tick '],
  ...[
    '',
    ' ',
    'PING',
    'ping ',
    ' ping',
    'ping\0',
    'ping()',
    'ping.call',
    '0',
    '-1',
    'undefined',
    'null',
    '[object Object]',
  ],
  ...['ping'.repeat(100_000), '\u{1F41D}', '\u202Egnip', '../ping', 'with '],
  ...[mine, Symbol('ping'), Symbol.for('ping'), Symbol.iterator, Symbol.asyncIterator, Symbol.toPrimitive],
  ...[Symbol.hasInstance, Symbol.toStringTag, Symbol.species, Symbol.for('nodejs.util.inspect.custom')],
];
const NO_NAMES: readonly unknown[] = [
  0,
  NaN,
  null,
  undefined,
  true,
  {},
  ['ping'],
  new String('ping'),
  () => 'ping',
  1n,
];
const nameOf = (name: unknown) => (typeof name === 'string' ? JSON.stringify(name).slice(0, 40) : inspect(name));
/** What JavaScript makes the name of a member by itself. */
const isCoerced = (name: unknown) => Array.isArray(name) || name instanceof String;
const NAMED = [...NAMES, ...NO_NAMES].map((name) => [nameOf(name), name] as const);

const TOWERS = getDynamicSupervisorToken(Tower);

async function fortresses() {
  const application = await started({ providers: [Keep, Tower] });
  const runtime = application.get(GenServerRuntime);
  const towers = application.get<DynamicSupervisorClient<Tower>>(TOWERS);
  const keep = application.get<GenServerClient<Keep>>(getGenServerToken(Keep));
  const tower = await towers.getOrStart('key');
  return { application, runtime, towers, keep, tower };
}

describe('a name that is no handler', () => {
  it.each(NAMED)('is refused at the sender by one error, and reaches nothing: %s', async (_printed, given) => {
    const { runtime, tower } = await fortresses();
    const name = given as string;
    for (const destination of [Keep, tower, runtime.whereis(Keep)!]) {
      const refusals = [
        await rejectionOf(runtime.call(destination, name, [1])),
        thrownBy(() => runtime.cast(destination, name, [1])),
      ] as UnknownHandlerError[];
      for (const [at, kind] of (['call', 'cast'] as const).entries()) {
        expect(refusals[at]).toBeInstanceOf(UnknownHandlerError);
        expect(refusals[at]).toMatchObject({ code: 'UNKNOWN_HANDLER', kind });
        // The same words, whatever the name: nothing tells one that exists from one that does not.
        expect(refusals[at]!.message.length).toBeLessThan(400);
        expect(refusals[at]!.message).toMatch(
          /^(Keep|Tower) has no (call|cast) handler named [^]+\. Decorate a method with @/,
        );
      }
    }
    expect(ran).toEqual([]);
  });

  it.each(NAMED.filter(([, name]) => !isCoerced(name)))(
    'is no member of a client that would reach the server: %s',
    async (_printed, given) => {
      const { runtime, towers, keep, tower } = await fortresses();
      await runtime.sys.statistics(Keep, 'on');
      const name = given as never;
      const plain = {} as Record<string, unknown>;
      for (const client of [keep, keep.with({}), runtime.client(Keep), tower, towers.client('key')]) {
        const member: unknown = client[name];
        if (given === 'undecorated' || given === 'guarded')
          expect(thrownBy(member as () => void)).toBeInstanceOf(TypeError);
        else if (given === Symbol.for('nodejs.util.inspect.custom'))
          expect(['undefined', 'function']).toContain(typeof member);
        else if (given === '__proto__') expect(Object.getOwnPropertyNames(member)).not.toContain('terminate');
        else expect(member).toBe(plain[name]);
      }
      expect(await runtime.sys.statistics(Keep, 'get')).toMatchObject({ messagesIn: 0 });
      expect(ran).toEqual([]);
    },
  );

  it.each(NAMED)('reaches nothing as a message: %s', async (_printed, name) => {
    const { runtime, tower } = await fortresses();
    const unexpected: unknown[] = [];
    runtime.events$.subscribe((event) => {
      if (event.type === 'gen_server.unexpected_message') unexpected.push(event);
    });
    for (const destination of [Keep, tower]) {
      runtime.send(destination, name);
      runtime.send(destination, { type: name });
      expect(await runtime.call(destination, 'ping')).toBe('pong');
    }
    expect(unexpected).toHaveLength(4);
    expect(ran).toEqual([]);
  });
});

describe('a client', () => {
  const KINDS = ['injected', 'with', 'runtime', 'keyed', 'keyed, absent', 'dynamic supervisor'] as const;
  const clientsOf = async () => {
    const { runtime, towers, keep, tower } = await fortresses();
    const clients: Readonly<Record<(typeof KINDS)[number], object>> = {
      injected: keep,
      with: keep.with({ timeoutMs: 1 }),
      runtime: runtime.client(Keep),
      keyed: tower,
      'keyed, absent': towers.client('nobody'),
      'dynamic supervisor': towers,
    };
    return { runtime, clients };
  };

  it.each(KINDS)('can be awaited, printed, serialised, copied and compared without a request: %s', async (kind) => {
    const { runtime, clients } = await clientsOf();
    const client = clients[kind];
    const awaited = client as PromiseLike<never>; // it is none, but somebody may take it for one
    const treeBefore = inspect(runtime.tree(), { depth: Infinity });
    await runtime.sys.statistics(Keep, 'on');
    await runtime.sys.statistics({ server: Tower, key: 'key' }, 'on');

    expect(await awaited).toBe(client);
    expect(await Promise.resolve(client)).toBe(client);
    expect(await Promise.all([awaited])).toEqual([client]);
    const printed = [
      inspect(client, { depth: Infinity, showHidden: true }),
      format('%s %o %O %j', client, client, client, client),
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- that it says nothing is the point
      String(client),
      JSON.stringify({ client }),
      String(Object.entries({ ...client })),
      client.constructor.name,
    ];
    expect(printed.join('\n')).not.toContain(CANARY);
    expect(() => Number(client)).not.toThrow();
    expect([...Object.keys(client), Object.prototype.toString.call(client)]).toContain('[object Object]');
    try {
      expect(structuredClone(client)).toEqual({});
    } catch (error) {
      expect(error).toMatchObject({ name: 'DataCloneError' }); // functions are not copied
    }
    for (const symbol of Object.values(Object.getOwnPropertyDescriptors(Symbol)).map(({ value }) => value as unknown)) {
      if (typeof symbol === 'symbol') expect((client as Record<symbol, unknown>)[symbol]).toBeUndefined();
    }
    expect(thrownBy(() => [...(client as never)])).toBeInstanceOf(TypeError);
    expect(client === client.valueOf()).toBe(true);

    for (const destination of [Keep, { server: Tower, key: 'key' }]) {
      expect(await runtime.sys.statistics(destination, 'get')).toMatchObject({ messagesIn: 0 });
    }
    expect(inspect(runtime.tree(), { depth: Infinity })).toBe(treeBefore);
    expect(ran).toEqual([]);
  });
});

describe('a handler with the name of something that printers look for', () => {
  it.each([Symbol.toPrimitive, Symbol.iterator, Symbol.for('nodejs.util.inspect.custom')])(
    'is refused when the application starts: %o',
    async (name) => {
      @GenServer()
      class Printed extends GenServerBase<null> {}
      Object.defineProperty(Printed.prototype, name, { value: () => reply(1) });
      (HandleCall() as MethodDecorator)(
        Printed.prototype,
        name,
        Object.getOwnPropertyDescriptor(Printed.prototype, name)!,
      );
      const refused = await compiled({ providers: [Printed] }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        mistake: 'reserved_name',
        message: `Printed.${String(name)} cannot be a handler: printing or serialising a client would call it. Rename the method.`,
      });
    },
  );
});

describe('limits that make no sense', () => {
  it.each([
    [{ monitors: 0 }, 'limits.monitors'],
    [{ pendingCalls: 'many' }, 'limits.pendingCalls'],
    [{ names: 5 }, 'names'],
  ])('%j is refused when the application starts', async (limits, named) => {
    const refused = await compiled({ options: { limits: limits as never } }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ mistake: 'invalid_option', message: expect.stringContaining(named) });
  });
});

import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  GenServerRuntime,
  getDynamicSupervisorToken,
  HandleCall,
  HandleCast,
  InvalidArgumentError,
  noReply,
  ok,
  provideGenServer,
  reply,
  StartError,
  stop,
  Supervisor,
  Timeout,
  HandleInfo,
} from 'nestjs-genserver';
import { deferred } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, moduleOf, started } from './support/application.js';

interface Plan {
  readonly onInit?: () => unknown;
  readonly onTerminate?: () => unknown;
}

/** A server that writes its start and end down. */
function server(name: string, journal: string[], { onInit, onTerminate }: Plan = {}): Type {
  class Server extends GenServerBase<null> {
    override async init() {
      await onInit?.();
      journal.push(`${name} up`);
      return ok(null);
    }
    @HandleCall() ask() {
      return reply(name);
    }
    override async terminate() {
      await onTerminate?.();
      journal.push(`${name} down`);
    }
  }
  Object.defineProperty(Server, 'name', { value: name });
  GenServer()(Server);
  return Server;
}

/** A provider that writes down the hooks with which an application ends. */
function witness(journal: string[]): Type {
  @Injectable()
  class Witness implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
    onModuleDestroy() {
      journal.push('onModuleDestroy');
    }
    beforeApplicationShutdown(signal?: string) {
      journal.push(`beforeApplicationShutdown ${signal}`);
    }
    onApplicationShutdown(signal?: string) {
      journal.push(`onApplicationShutdown ${signal}`);
    }
  }
  return Witness;
}

@GenServer()
class Doomed extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCast() crash() {
    throw new Error('boom');
    return noReply();
  }
}
@Supervisor({ maxRestarts: 0 })
@Module({ providers: [Doomed] })
class DoomedModule {}

describe('the start of an application', () => {
  it('starts the tree, dependencies first, and is up when it is [AP1]', async () => {
    const journal: string[] = [];
    const used = moduleOf('UsedModule', { providers: [server('used', journal)] });
    const application = await started({ imports: [used], providers: [server('user', journal)] });
    expect(journal).toEqual(['used up', 'user up']);
    expect(application.get(GenServerRuntime).status).toBe('running');
  });

  it('fails with the reason of the server that does not start [AP1]', async () => {
    const refused = server('refused', [], { onInit: () => Promise.reject(new Error('no disk')) });
    const application = await compiled({ providers: [refused] });
    const error = await rejectionOf(application.init());
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ server: 'refused of RootTestModule', cause: { message: 'no disk' } });
  });

  it('happens once, however often it is asked for [AP1]', async () => {
    const journal: string[] = [];
    const application = await started({ providers: [server('once', journal)] });
    await application.init();
    expect(journal).toEqual(['once up']);
  });
});

describe('the stop of an application', () => {
  it('prep_stop is the terminate of the server listed last: everything else is still alive [AP2]', async () => {
    const journal: string[] = [];
    const first = server('first', journal);
    const last = server('last', journal, {
      onTerminate: async () => journal.push(await application.get(GenServerRuntime).call<string>(first, 'ask')),
    });
    const application = await started({ providers: [first, last] });
    journal.length = 0;
    await application.close();
    expect(journal).toEqual(['first', 'last down', 'first down']);
  });

  it("stop is Nest's onModuleDestroy and its shutdown hooks: they run when the tree is down [AP2]", async () => {
    const journal: string[] = [];
    const application = await started({ providers: [server('server', journal), witness(journal)] });
    journal.length = 0;
    await application.close();
    expect(journal).toEqual([
      'server down',
      'onModuleDestroy',
      'beforeApplicationShutdown undefined',
      'onApplicationShutdown undefined',
    ]);
  });

  it('stops each server once when it is asked for again [AP2]', async () => {
    const journal: string[] = [];
    const application = await started({ providers: [server('server', journal)] });
    await Promise.all([application.close(), application.close()]);
    await application.close().catch(() => undefined);
    expect(journal).toEqual(['server up', 'server down']);
  });
});

describe('the death of the tree', () => {
  it("with onTreeExit: 'keep' leaves the application alive, and its hooks run when it is closed [AP3]", async () => {
    const journal: string[] = [];
    const application = await started({
      options: { supervisor: { maxRestarts: 0 }, onTreeExit: 'keep' },
      imports: [DoomedModule],
      providers: [witness(journal)],
    });
    const runtime = application.get(GenServerRuntime);
    runtime.cast(Doomed, 'crash');
    await settle();
    expect(runtime).toMatchObject({ status: 'gave_up', isReady: false });
    expect(journal).toEqual([]);
    await application.close();
    expect(journal).toHaveLength(3);
  });

  /** Stands in for the end of the Node process, and tells its code. */
  const mockedExit = () => {
    const exited = deferred<unknown>();
    const { exitCode } = process;
    const events = ['SIGTERM', 'beforeExit'] as const;
    const present = events.map((event) => process.listeners(event as 'SIGTERM'));
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      process.emit('SIGTERM', 'SIGTERM');
      return true;
    });
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => exited.resolve(code) as never);
    onTestFinished(() => {
      kill.mockRestore();
      exit.mockRestore();
      process.exitCode = exitCode;
      for (const [i, event] of events.entries()) {
        for (const listener of process.listeners(event as 'SIGTERM')) {
          if (!present[i]!.includes(listener)) process.removeListener(event, listener);
        }
      }
    });
    return exited.promise;
  };

  it('otherwise ends the Node process with exit code 1, after the hooks [AP3]', async () => {
    const journal: string[] = [];
    const exited = mockedExit();
    const application = await started({
      options: { supervisor: { maxRestarts: 0 }, onTreeExit: 'shutdown' },
      imports: [DoomedModule],
      providers: [witness(journal)],
    });
    application.enableShutdownHooks(['SIGTERM']);
    application.get(GenServerRuntime).cast(Doomed, 'crash');
    expect(await exited).toBe(1);
    expect(journal).toEqual(['onModuleDestroy', 'beforeApplicationShutdown SIGTERM', 'onApplicationShutdown SIGTERM']);
  });

  it('runs the hooks itself when whoever listens to SIGTERM has let 30 s pass [AP3]', async () => {
    const journal: string[] = [];
    const exited = mockedExit();
    process.on('SIGTERM', () => journal.push('heard'));
    const clock = new ManualClock();
    const application = await started({
      options: { supervisor: { maxRestarts: 0 }, onTreeExit: 'shutdown', clock },
      imports: [DoomedModule],
      providers: [witness(journal)],
    });
    application.get(GenServerRuntime).cast(Doomed, 'crash');
    await clock.advance(29_999);
    expect(journal).toEqual(['heard']);
    await clock.advance(1);
    expect(await exited).toBe(1);
    expect(journal).toEqual([
      'heard',
      'onModuleDestroy',
      'beforeApplicationShutdown SIGTERM',
      'onApplicationShutdown SIGTERM',
    ]);
  });

  it('ends the Node process though a hook takes longer than 30 s [AP3]', async () => {
    const exited = mockedExit();
    process.on('SIGTERM', () => undefined);
    const clock = new ManualClock();
    const gate = deferred();
    @Injectable()
    class Stuck {
      onModuleDestroy = () => gate.promise;
    }
    const application = await started({
      options: { supervisor: { maxRestarts: 0 }, onTreeExit: 'shutdown', clock },
      imports: [DoomedModule],
      providers: [Stuck],
    });
    application.get(GenServerRuntime).cast(Doomed, 'crash');
    await clock.advance(30_000);
    await clock.advance(30_000);
    expect(await exited).toBe(1);
    gate.resolve();
  });
});

describe('the order of children', () => {
  it('is that of imports and providers, and in reverse at the end [AP4]', async () => {
    const journal: string[] = [];
    const database = moduleOf('DatabaseModule', { providers: [server('database', journal)] });
    const endpoint = moduleOf('EndpointModule', { imports: [database], providers: [server('endpoint', journal)] });
    const application = await started({
      imports: [endpoint, database],
      providers: [server('a', journal), server('b', journal)],
    });
    const up = ['database', 'endpoint', 'a', 'b'];
    expect(journal).toEqual(up.map((name) => `${name} up`));
    journal.length = 0;
    await application.close();
    expect(journal).toEqual(up.reverse().map((name) => `${name} down`));
  });
});

describe('GenServerRuntime.configChange', () => {
  /** What each server was told, by its name. */
  let told: unknown[][];

  abstract class Configured extends GenServerBase<string> {
    override init(name: string) {
      return ok(name);
    }
    @HandleCast() note(text: string) {
      told.push([this.state, text]);
      return noReply();
    }
    override onConfigChange(changed: object, added: object, removed: readonly string[]) {
      told.push([this.state, changed, added, removed]);
      return 'stop' in changed ? stop('shutdown') : noReply(`${this.state}'`);
    }
  }
  @GenServer({ args: ['default'], restart: 'temporary' })
  class Plain extends Configured {}
  @GenServer({ start: 'on_demand' })
  class Keyed extends Configured {}
  const token = getDynamicSupervisorToken(Keyed);
  @GenServer({ args: ['untouched'] })
  class Untouched extends GenServerBase<string> {
    @HandleInfo() any(message: unknown) {
      told.push([this.state, message]);
      return noReply();
    }
    @HandleCast() wait() {
      return noReply().timeout(100);
    }
  }

  const application = async (clock = new ManualClock()) => {
    told = [];
    const running = await started({
      options: { clock },
      providers: [Plain, provideGenServer(Plain, { name: 'other', args: ['named'] }), Keyed, Untouched],
    });
    const keyed = running.get<DynamicSupervisorClient<Keyed>>(token, { strict: false });
    await keyed.startChild({ key: 1, args: ['keyed'] });
    return running.get(GenServerRuntime);
  };

  it('tells every server that defines onConfigChange, also named and keyed ones, what changed [AP5]', async () => {
    const runtime = await application();
    expect(runtime.configChange({ changed: { a: 1 }, added: { b: 2 }, removed: ['c'] })).toBe(3);
    await settle();
    const change = [{ a: 1 }, { b: 2 }, ['c']];
    expect(told.sort()).toEqual([
      ['default', ...change],
      ['keyed', ...change],
      ['named', ...change],
    ]);
    expect(await runtime.sys.getState(Plain)).toBe("default'");
  });

  it('gives empty lists for what did not change [AP5]', async () => {
    const runtime = await application();
    runtime.configChange({ changed: { a: 1 } });
    await settle();
    expect(told[0]!.slice(1)).toEqual([{ a: 1 }, {}, []]);
  });

  it('keeps its place in the queue, and may stop the server as any handler may [AP5]', async () => {
    const runtime = await application();
    const { down } = runtime.monitor(Plain);
    runtime.cast(Plain, 'note', ['before']);
    runtime.configChange({ changed: { stop: true } });
    runtime.cast(Plain, 'note', ['after']);
    expect(await down).toMatchObject({ reason: 'shutdown' });
    expect(told.filter(([name]) => name === 'default')).toEqual([
      ['default', 'before'],
      ['default', { stop: true }, {}, []],
    ]);
  });

  it('waits while a server is suspended [AP5]', async () => {
    const runtime = await application();
    await runtime.sys.suspend(Plain);
    runtime.configChange({ removed: ['a'] });
    await settle();
    expect(told.map(([name]) => name)).not.toContain('default');
    await runtime.sys.resume(Plain);
    await settle();
    expect(told.map(([name]) => name)).toContain('default');
  });

  it('leaves a server without onConfigChange alone, its timeout included [AP5]', async () => {
    const clock = new ManualClock();
    const runtime = await application(clock);
    runtime.cast(Untouched, 'wait');
    await clock.advance(60);
    runtime.configChange({ changed: { a: 1 } });
    await clock.advance(40);
    expect(told.filter(([name]) => name === 'untouched')).toEqual([['untouched', expect.any(Timeout)]]);
  });

  it('refuses what is no change, and tells nobody [AP5]', async () => {
    const runtime = await application();
    for (const change of [{ changed: [] }, { added: 'a' }, { removed: 'a' }]) {
      expect(thrownBy(() => runtime.configChange(change as never))).toBeInstanceOf(InvalidArgumentError);
    }
    await settle();
    expect(told).toEqual([]);
  });

  it('alone calls onConfigChange: a client has no such method [AP5]', async () => {
    const runtime = await application();
    expect('onConfigChange' in runtime.client(Plain, Plain)).toBe(false);
  });
});

describe('GenServerRuntime.sys', () => {
  @GenServer({ version: '2.0', name: 'vault' })
  class Vault extends GenServerBase<{ readonly secret: string }> {
    override init() {
      return ok({ secret: 'hunter2' });
    }
    override formatStatus() {
      return '(hidden)';
    }
    override codeChange(oldVersion: string, old: { readonly secret: string }, extra: string) {
      return ok({ secret: `${old.secret} of ${oldVersion} ${extra}` });
    }
  }

  it('gives codeChange the version of the class, and status what formatStatus shows [Y5, Y6]', async () => {
    const application = await started({ providers: [Vault] });
    const { sys } = application.get(GenServerRuntime);
    await sys.suspend('vault');
    await sys.changeCode('vault', 'and more');
    await sys.resume('vault');
    expect(await sys.getState('vault')).toEqual({ secret: 'hunter2 of 2.0 and more' });
    expect(await sys.getStatus('vault')).toMatchObject({ label: 'Vault', version: '2.0', state: '(hidden)' });
  });

  it('a version that is neither a string nor a number is refused', async () => {
    const provider = provideGenServer(Doomed, { version: {} as string });
    await expect(compiled({ providers: [provider] })).rejects.toThrow(/version.*a string or a number/);
  });
});

describe('the environment of an application', () => {
  const CONFIG = Symbol('config');

  @GenServer()
  class Reader extends GenServerBase<readonly unknown[]> {
    constructor(@Inject(CONFIG) private readonly config: ReadonlyMap<string, string>) {
      super();
    }
    override init() {
      return ok([this.config.get('host'), this.config.get('port') ?? 'default']);
    }
    @HandleCall() seen() {
      return reply(this.state);
    }
  }

  it('is what Nest injects: there already in init, with a default where it has nothing [AP6]', async () => {
    const config = { provide: CONFIG, useFactory: () => Promise.resolve(new Map([['host', 'localhost']])) };
    const application = await started({ providers: [config, Reader] });
    expect(await application.get(GenServerRuntime).call(Reader, 'seen')).toEqual(['localhost', 'default']);
  });

  it('that is missing altogether fails the start, as any missing provider does [AP6]', async () => {
    await expect(compiled({ providers: [Reader] })).rejects.toThrow(/resolve dependencies of the Reader/);
  });
});

describe('SIGTERM', () => {
  it('stops everything in order where the application enabled its shutdown hooks [AP7]', async () => {
    const journal: string[] = [];
    const ended = deferred<unknown>();
    const kill = vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
      ended.resolve(signal);
      return true;
    });
    onTestFinished(() => kill.mockRestore());
    const application = await started({
      providers: [server('a', journal), server('b', journal), witness(journal)],
    });
    application.enableShutdownHooks(['SIGTERM']);
    journal.length = 0;
    process.emit('SIGTERM', 'SIGTERM');
    expect(await ended.promise).toBe('SIGTERM');
    expect(journal).toEqual([
      'b down',
      'a down',
      'onModuleDestroy',
      'beforeApplicationShutdown SIGTERM',
      'onApplicationShutdown SIGTERM',
    ]);
  });
});

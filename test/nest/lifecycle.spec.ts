import {
  Controller,
  Global,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import initSqlJs, { type Database as SqlDatabase } from 'sql.js';
import { describe, expect, it } from 'vitest';
import {
  error,
  GenServer,
  GenServerBase,
  type GenServerEvent,
  GenServerModule,
  type GenServerOptions,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleInfo,
  NoProcessError,
  noReply,
  ok,
  Pid,
  provideGenServer,
  reply,
  StartError,
  Supervisor,
  type ViaRegistry,
} from 'nestjs-genserver';
import { deferred, never } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { compiled, moduleOf, started } from './support/application.js';

/** A turn of the event loop, in which everything that does not wait for this one could overtake it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A provider that writes its hooks down, late. */
function hooked(name: string, journal: string[]): Type {
  @Injectable()
  class Hooked implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
    async onModuleInit() {
      await turn();
      journal.push(`${name} onModuleInit`);
    }
    async onApplicationBootstrap() {
      journal.push(`${name} onApplicationBootstrap`);
      await turn();
    }
    async onModuleDestroy() {
      journal.push(`${name} onModuleDestroy`);
      await turn();
    }
  }
  return Hooked;
}

interface StartPlan extends GenServerOptions {
  readonly onInit?: () => unknown;
  readonly onTerminate?: () => unknown;
}

/** A server that writes its start and end down, late. */
function server(name: string, journal: string[], { onInit, onTerminate, ...options }: StartPlan = {}): Type {
  class Server extends GenServerBase<null> {
    override async init() {
      journal.push(`${name} init`);
      await turn();
      await onInit?.();
      journal.push(`${name} up`);
      return ok(null);
    }
    @HandleCall() crash() {
      throw new Error('boom');
      return reply(1);
    }
    override async terminate() {
      journal.push(`${name} terminate`);
      await turn();
      await onTerminate?.();
      journal.push(`${name} down`);
    }
  }
  Object.defineProperty(Server, 'name', { value: name });
  GenServer(options)(Server);
  return Server;
}

const only = (journal: readonly string[], what: string) =>
  journal.filter((line) => line.endsWith(` ${what}`)).map((line) => line.slice(0, -what.length - 1));

describe('processes live inside the life of every provider', () => {
  /** A server in a module with a neighbour, an import, a global module and an importing one around it. */
  function application(journal: string[]): ModuleMetadata {
    const provider = (name: string) => hooked(name, journal);
    const controller = provider('controller');
    Controller()(controller);
    const Imported = moduleOf('ImportedModule', { providers: [provider('imported')] });
    const Host = moduleOf('HostModule', {
      imports: [Imported],
      providers: [provider('before'), server('Server', journal), provider('after')],
      controllers: [controller],
    });
    const GlobalHost = moduleOf('GlobalModule', { providers: [provider('global'), server('GlobalServer', journal)] });
    Global()(GlobalHost);
    const Importing = moduleOf('ImportingModule', { imports: [Host], providers: [provider('importing')] });
    return { imports: [Importing, GlobalHost], providers: [provider('root'), server('RootServer', journal)] };
  }
  const others = ['after', 'before', 'controller', 'global', 'imported', 'importing', 'root'];

  it('every onModuleInit is done before the first init', async () => {
    const journal: string[] = [];
    await started(application(journal));
    expect(
      only(
        journal.slice(
          0,
          journal.findIndex((line) => line.endsWith(' init')),
        ),
        'onModuleInit',
      ).sort(),
    ).toEqual(others);
  });

  it('every init is done before the first onApplicationBootstrap', async () => {
    const journal: string[] = [];
    await started(application(journal));
    const before = journal.slice(
      0,
      journal.findIndex((line) => line.endsWith(' onApplicationBootstrap')),
    );
    expect(only(before, 'up').sort()).toEqual(['GlobalServer', 'RootServer', 'Server']);
    expect(only(journal, 'onApplicationBootstrap').sort()).toEqual(others);
  });

  it('every terminate is done before the first onModuleDestroy', async () => {
    const journal: string[] = [];
    const running = await started(application(journal));
    journal.length = 0;
    await running.close();
    const before = journal.slice(
      0,
      journal.findIndex((line) => line.endsWith(' onModuleDestroy')),
    );
    expect(only(before, 'down').sort()).toEqual(['GlobalServer', 'RootServer', 'Server']);
    expect(only(journal, 'onModuleDestroy').sort()).toEqual(others);
  });

  it('holds for an HTTP application as for a bare one', async () => {
    const journal: string[] = [];
    const http = (await compiled(application(journal))).createNestApplication();
    await http.init();
    await http.close();
    const steps = journal.map((line) => line.split(' ')[1]);
    expect(steps.lastIndexOf('onModuleInit')).toBeLessThan(steps.indexOf('init'));
    expect(steps.lastIndexOf('up')).toBeLessThan(steps.indexOf('onApplicationBootstrap'));
    expect(steps.lastIndexOf('down')).toBeLessThan(steps.indexOf('onModuleDestroy'));
  });
});

describe('a server that keeps its state in a database', () => {
  /** What the database held when it was closed. */
  let lastRows: unknown;

  abstract class Database {
    protected sql!: SqlDatabase;
    run(statement: string, ...values: string[]) {
      this.sql.run(statement, values);
    }
    names() {
      return this.sql.exec('select name from items order by rowid')[0]?.values.flat() ?? [];
    }
    protected async open() {
      const { Database: Sql } = await initSqlJs();
      this.sql = new Sql();
      this.sql.run("create table items (name text); insert into items values ('first')");
    }
    protected close() {
      lastRows = this.names();
      this.sql.close();
    }
  }

  @Injectable()
  class HookDatabase extends Database implements OnModuleInit, OnModuleDestroy {
    onModuleInit() {
      return this.open();
    }
    onModuleDestroy() {
      this.close();
    }
  }

  class FactoryDatabase extends Database implements OnModuleDestroy {
    static async create() {
      const database = new FactoryDatabase();
      await database.open();
      return database;
    }
    onModuleDestroy() {
      this.close();
    }
  }

  @GenServer()
  class Stock extends GenServerBase<readonly unknown[]> {
    constructor(private readonly database: Database) {
      super();
    }
    override init() {
      return ok([...this.database.names()]);
    }
    @HandleCall() add(name: string) {
      this.database.run('insert into items values (?)', name);
      const names = this.database.names();
      return reply(names, names);
    }
    override terminate() {
      this.database.run('insert into items values (?)', `closed with ${this.state.length}`);
    }
  }

  const forms: Record<string, ModuleMetadata> = {
    'in onModuleInit of the same module': { providers: [Stock, { provide: Database, useClass: HookDatabase }] },
    'in an async factory of the same module': {
      providers: [Stock, { provide: Database, useFactory: () => FactoryDatabase.create() }],
    },
    'in onModuleInit of an imported module': {
      imports: [
        moduleOf('DatabaseModule', {
          providers: [{ provide: Database, useClass: HookDatabase }],
          exports: [Database],
        }),
      ],
      providers: [Stock],
    },
  };
  @Global()
  @Module({ providers: [{ provide: Database, useClass: HookDatabase }], exports: [Database] })
  class GlobalDatabaseModule {}
  forms['in onModuleInit of a global module'] = { imports: [GlobalDatabaseModule], providers: [Stock] };
  @Global()
  @Module({
    imports: [
      moduleOf('PrivateDatabaseModule', {
        providers: [{ provide: Database, useClass: HookDatabase }],
        exports: [Database],
      }),
    ],
    providers: [Stock],
  })
  class GlobalStockModule {}
  forms['in onModuleInit of what its own global module imports'] = { imports: [GlobalStockModule] };

  it.each(Object.keys(forms))('finds it open in init, handlers and terminate when it is opened %s', async (form) => {
    lastRows = undefined;
    const application = await started(forms[form]!);
    const stock = application.get(GenServerRuntime).client<Stock>(Stock);
    expect(await stock.add('second')).toEqual(['first', 'second']);
    await application.close();
    expect(lastRows).toEqual(['first', 'second', 'closed with 2']);
  });
});

describe('the order of the tree', () => {
  it('is that of providers within a module, and each init waits for the one before', async () => {
    const journal: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => server(name, journal));
    const application = await started({ providers: [a!, b!, c!] });
    expect(journal).toEqual(['a init', 'a up', 'b init', 'b up', 'c init', 'c up']);
    journal.length = 0;
    await application.close();
    expect(journal).toEqual(['c terminate', 'c down', 'b terminate', 'b down', 'a terminate', 'a down']);
  });

  it('counts provideGenServer where it stands', async () => {
    const journal: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => server(name, journal));
    await started({ providers: [a!, provideGenServer(b!, { name: 'b' }), c!] });
    expect(only(journal, 'init')).toEqual(['a', 'b', 'c']);
  });

  it('puts what forFeature brings behind the servers of the importing module', async () => {
    const journal: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => server(name, journal));
    const application = await started({
      imports: [moduleOf('CartModule', { imports: [GenServerModule.forFeature([a!, b!])], providers: [c!] })],
    });
    expect(only(journal, 'init')).toEqual(['c', 'a', 'b']);
    expect(application.get(GenServerRuntime).tree()?.children).toMatchObject([
      { label: 'CartModule', children: [{ label: 'c' }, { label: 'a' }, { label: 'b' }] },
    ]);
  });

  it('starts a module behind everything that it imports, however the imports are written', async () => {
    const journal: string[] = [];
    const list = (name: string, imports: Type[] = []) =>
      moduleOf(`${name}Module`, { imports, providers: [server(name, journal)] });
    const d = list('d');
    const c = list('c', [d]);
    const b = list('b', [c, d]);
    const a = list('a', [d, b]);
    await started({ imports: [d, a, c, b], providers: [server('root', journal)] });
    expect(only(journal, 'init')).toEqual(['d', 'c', 'b', 'a', 'root']);
  });

  it('starts a global module behind what it imports itself', async () => {
    const journal: string[] = [];
    const imported = moduleOf('ImportedModule', { providers: [server('imported', journal)] });
    const host = moduleOf('GlobalModule', { imports: [imported], providers: [server('global', journal)] });
    Global()(host);
    await started({ imports: [host] });
    expect(only(journal, 'init')).toEqual(['imported', 'global']);
  });

  it('takes modules that import each other', async () => {
    const journal: string[] = [];
    const a = moduleOf('AModule', { providers: [server('a', journal)] });
    const b = moduleOf('BModule', { imports: [a], providers: [server('b', journal)] });
    Reflect.defineMetadata('imports', [{ forwardRef: () => b }], a);
    await started({ imports: [a] });
    expect(only(journal, 'init').sort()).toEqual(['a', 'b']);
  });

  it('tells servers apart whose names only look the same', async () => {
    class Directory implements ViaRegistry {
      private readonly pids = new Map<unknown, Pid>();
      registerName(key: unknown, pid: Pid) {
        if (this.pids.has(key)) return false;
        this.pids.set(key, pid);
        return true;
      }
      unregisterName(key: unknown) {
        this.pids.delete(key);
      }
      whereisName(key: unknown) {
        return this.pids.get(key);
      }
      send() {}
    }
    const journal: string[] = [];
    const names = [new Directory(), new Directory()].map((via) => ({ via, key: 'cart' }));
    const application = await started({
      providers: names.map((name, at) => provideGenServer(server(`s${at}`, journal), { name })),
    });
    const pids = names.map((name) => application.get(GenServerRuntime).whereis(name));
    expect(pids).toEqual([expect.any(Pid), expect.any(Pid)]);
    expect(pids[0]).not.toBe(pids[1]);
  });

  it('has one supervisor per module, however many import it, and one for each dynamic module of a class', async () => {
    const shared = moduleOf('SharedModule', { providers: [server('shared', [])] });
    const Tenants = moduleOf('TenantModule', {});
    const tenant = (name: string) => ({ module: Tenants, providers: [provideGenServer(server(name, []), { name })] });
    const application = await started({
      imports: [
        moduleOf('FirstModule', { imports: [shared] }),
        moduleOf('SecondModule', { imports: [shared] }),
        tenant('red'),
        tenant('blue'),
      ],
    });
    expect(
      application
        .get(GenServerRuntime)
        .tree()
        ?.children.map(({ label, children }) => [label, ...children.map(({ name }) => name)]),
    ).toEqual([
      ['SharedModule', 'shared'],
      ['TenantModule', "'red'"],
      ['TenantModule#2', "'blue'"],
    ]);
  });
});

describe('a start that fails', () => {
  class NoDisk extends Error {}

  it('stops what has started in reverse, and rejects with the server, its module and the cause', async () => {
    const journal: string[] = [];
    const cause = new NoDisk('no disk');
    const broken = server('Broken', journal, {
      onInit: () => {
        throw cause;
      },
    });
    const application = await compiled({
      imports: [
        moduleOf('FirstModule', { providers: [server('a', journal), server('b', journal)] }),
        moduleOf('SecondModule', { providers: [server('c', journal), broken, server('d', journal)] }),
      ],
      providers: [hooked('provider', journal)],
    });
    const error = await rejectionOf(application.init());
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      name: 'StartError',
      code: 'START_FAILED',
      server: 'Broken of SecondModule',
      reason: cause,
      cause,
      message: 'Broken of SecondModule did not start: Error: no disk',
    });
    expect(only(journal, 'init')).toEqual(['a', 'b', 'c', 'Broken']);
    expect(only(journal, 'down')).toEqual(['c', 'b', 'a']);
    expect(only(journal, 'onApplicationBootstrap')).toEqual([]);
    expect(application.get(GenServerRuntime)).toMatchObject({ status: 'stopped', isReady: false });
  });

  it('can be closed afterwards', async () => {
    const broken = server('Broken', [], { onInit: () => Promise.reject(new NoDisk('no disk')) });
    const application = await compiled({ providers: [broken] });
    await expect(application.init()).rejects.toThrow(StartError);
    await application.close().catch(() => undefined); // Nest 11 says once more what init() rejected with
    expect(application.get(GenServerRuntime).status).toBe('stopped');
  });

  it('happens when init takes longer than startTimeoutMs', async () => {
    const clock = new ManualClock();
    const journal: string[] = [];
    const application = await compiled({
      options: { clock },
      providers: [server('a', journal), server('slow', journal, { onInit: never, startTimeoutMs: 300 })],
    });
    const error = rejectionOf(application.init());
    await settle();
    await clock.advance(300);
    expect(await error).toMatchObject({
      reason: 'timeout',
      message: "slow of RootTestModule did not start: 'timeout'",
    });
    expect(only(journal, 'down')).toEqual(['a']);
  });

  it('happens when the instance cannot be made', async () => {
    let count = 0;
    @GenServer()
    class Fragile extends GenServerBase<null> {
      constructor() {
        super();
        if (++count > 1) throw new NoDisk('no disk'); // the first is the template
      }
    }
    const application = await compiled({ providers: [Fragile] });
    await expect(application.init()).rejects.toMatchObject({
      server: 'Fragile of RootTestModule',
      cause: expect.any(NoDisk),
    });
  });
});

describe('close', () => {
  it('stops each server once when it is called twice at once, and again later', async () => {
    const journal: string[] = [];
    const application = await started({ providers: [server('a', journal), server('b', journal)] });
    journal.length = 0;
    await Promise.all([application.close(), application.close()]);
    await application.close();
    expect(only(journal, 'terminate')).toEqual(['b', 'a']);
    expect(only(journal, 'down')).toEqual(['b', 'a']);
  });

  it('lets each server finish its queue first', async () => {
    const seen: number[] = [];
    @GenServer()
    class Queue extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      @HandleCast() async add(item: number) {
        await turn();
        seen.push(item);
        return noReply();
      }
    }
    const application = await started({ providers: [Queue] });
    const queue = application.get(GenServerRuntime).client<Queue>(Queue);
    for (let item = 0; item < 10; item++) queue.add(item);
    await application.close();
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('kills a server whose time is up, says what it has not handled, and goes on with the others', async () => {
    const clock = new ManualClock();
    const journal: string[] = [];
    const warnings: unknown[] = [];
    @GenServer({ shutdownMs: 700 })
    class Stuck extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      @HandleCast() hang() {
        return never();
      }
      @HandleCast() add() {
        return noReply();
      }
    }
    const application = await started({ options: { clock }, providers: [server('a', journal), Stuck] });
    application.useLogger({ log: () => {}, error: () => {}, warn: (line) => warnings.push(line) });
    const stuck = application.get(GenServerRuntime).client<Stuck>(Stuck);
    stuck.hang();
    stuck.add();
    stuck.add();
    const closed = application.close();
    await clock.advance(699);
    expect(only(journal, 'terminate')).toEqual([]);
    await clock.advance(1);
    await closed;
    expect(only(journal, 'down')).toEqual(['a']);
    expect(warnings).toEqual([
      expect.stringMatching(/^DEAD LETTERS Stuck .* ended \('killed'\) with \d cast\(s\)/),
      expect.stringMatching(/^Stuck was stopped \('killed'\) with \d message\(s\) not handled$/),
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for ever for a child that hangs in init after a crash', async () => {
    const clock = new ManualClock();
    const journal: string[] = [];
    let lives = 0;
    const hanging = server('hanging', journal, { onInit: () => (++lives > 1 ? never() : undefined), shutdownMs: 400 });
    const application = await started({ options: { clock }, providers: [server('a', journal), hanging] });
    const runtime = application.get(GenServerRuntime);
    await expect(runtime.call(hanging, 'crash')).rejects.toThrow('boom');
    await settle();
    expect(only(journal, 'init')).toEqual(['a', 'hanging', 'hanging']);
    const closed = application.close();
    await settle();
    expect(runtime.status).toBe('stopping');
    await clock.advance(400);
    await closed;
    expect(runtime.status).toBe('stopped');
    expect(only(journal, 'down')).toEqual(['hanging', 'a']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for ever for a first start that hangs, where Nest lets it begin at all', async () => {
    const clock = new ManualClock();
    const journal: string[] = [];
    const hanging = server('hanging', journal, { onInit: never, shutdownMs: 400, startTimeoutMs: 60_000 });
    const application = await compiled({ options: { clock }, providers: [server('a', journal), hanging] });
    const failed = rejectionOf(application.init());
    await settle();
    const closed = application.close().catch(() => undefined);
    await clock.advance(400);
    // Nest 12.5 waits for the end of init() before it calls any hook; the others call ours at once.
    const { status } = application.get(GenServerRuntime);
    expect(status).not.toBe('stopping');
    if (status === 'stopped') expect(only(journal, 'down')).toEqual(['a']);
    await clock.advance(60_000);
    expect(await failed).toBeInstanceOf(StartError);
    await closed;
    expect(only(journal, 'down')).toEqual(['a']);
  });

  it('starts nothing when it comes before the start', async () => {
    const journal: string[] = [];
    const application = await compiled({ providers: [server('a', journal)] });
    await application.close();
    await application.init().catch(() => undefined);
    expect(journal).toEqual([]);
    expect(application.get(GenServerRuntime).status).toBe('stopped');
  });

  it('stops processes that were started by hand, too, and lets none start afterwards', async () => {
    const journal: string[] = [];
    const type = server('a', journal);
    const application = await started({ providers: [type] });
    const runtime = application.get(GenServerRuntime);
    await runtime.start(type);
    await application.close();
    expect(only(journal, 'down')).toEqual(['a', 'a']);
    const error = await rejectionOf(runtime.start(type));
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ reason: 'shutdown', message: "a did not start: 'shutdown'" });
    expect(only(journal, 'init')).toEqual(['a', 'a']);
  });

  it('leaves no process, also when one starts another in its terminate', async () => {
    const heads: number[] = [];
    @GenServer()
    class Hydra extends GenServerBase<number> {
      override init(head: number) {
        heads.push(head);
        return head > 5 ? error('enough') : ok(head);
      }
      override async terminate() {
        await this.self.startLink(Hydra, { args: [this.state + 1] });
      }
    }
    const application = await started({ providers: [provideGenServer(Hydra, { args: [0], name: 'first' })] });
    const runtime = application.get(GenServerRuntime);
    const pid = await runtime.start(Hydra, { args: [1] });
    await application.close();
    expect(heads.length).toBeGreaterThan(2);
    expect(runtime.whereis(pid)).toBeUndefined();
    expect(await rejectionOf(runtime.call('first', 'anything'))).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('leaves no process, timer, listener or handle behind', async () => {
    @GenServer()
    class Busy extends GenServerBase<null> {
      override init() {
        this.self.sendAfter(this.self.pid, 'tick', 60_000);
        this.self.sendAfter('nobody', 'tick', 60_000);
        return ok(null).timeout(60_000);
      }
      @HandleCall({ timeoutMs: 60_000 }) wait() {
        return this.from<number>().later();
      }
      @HandleInfo('tick') onTick() {
        return noReply();
      }
    }
    const listeners = () => Object.fromEntries(process.eventNames().map((name) => [name, process.listenerCount(name)]));
    // The runner has timers of its own, so those of the library are counted by a clock that nobody else uses; a test of the
    // package shows that a real Node process ends by itself.
    const clock = new ManualClock();
    const ours = (type: string) => type !== 'Timeout' && type !== 'Immediate';
    const resources = () => process.getActiveResourcesInfo().filter(ours).sort();
    await settle();
    const before = { listeners: listeners(), resources: resources() };
    const application = await started({ options: { clock }, providers: [Busy] });
    application.enableShutdownHooks();
    const runtime = application.get(GenServerRuntime);
    const pids: unknown[] = [];
    const subscription = runtime.events$.subscribe((event: GenServerEvent) => {
      if (event.type === 'process.spawned' || event.type === 'process.exited') pids.push([event.type, event.pid]);
    });
    const waiting = runtime.client<Busy>(Busy).wait();
    const settled = rejectionOf(waiting);
    const extra = await runtime.start(Busy, { name: 'extra' });
    runtime.monitor(extra);
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await application.close();
    expect(clock.pendingTimers).toBe(0);
    await settled;
    subscription.unsubscribe();
    await settle();
    expect(pids).toEqual([
      ['process.spawned', extra],
      ['process.exited', expect.anything()],
      ['process.exited', expect.anything()],
      ['process.exited', expect.anything()],
      ['process.exited', extra],
    ]);
    expect({ listeners: listeners(), resources: resources() }).toEqual(before);
    expect(runtime.tree()).toBeUndefined();
    expect(runtime.whereis(Busy)).toBeUndefined();
  });
});

describe('GenServerRuntime.status', () => {
  it('tells every phase', async () => {
    const seen: string[] = [];
    const look = (where: string) => {
      const { status, isReady } = application.get(GenServerRuntime);
      seen.push(`${where}: ${status} ${isReady}`);
    };
    @Injectable()
    class Observer {
      onModuleInit() {
        look('onModuleInit');
      }
      onApplicationBootstrap() {
        look('onApplicationBootstrap');
      }
      onModuleDestroy() {
        look('onModuleDestroy');
      }
    }
    const phases = server('Phases', [], { onInit: () => look('init'), onTerminate: () => look('terminate') });
    const application: TestingModule = await compiled({ providers: [Observer, phases] });
    look('compiled');
    await application.init();
    look('initialised');
    await application.close();
    look('closed');
    expect(seen).toEqual([
      'compiled: not_started false',
      'onModuleInit: not_started false',
      'init: starting false',
      'onApplicationBootstrap: running true',
      'initialised: running true',
      'terminate: stopping false',
      'onModuleDestroy: stopped false',
      'closed: stopped false',
    ]);
  });

  it('is running for an application without servers', async () => {
    const application = await started({});
    expect(application.get(GenServerRuntime).status).toBe('running');
  });
});

describe('forRoot({ onTreeExit })', () => {
  @GenServer()
  class Doomed extends GenServerBase<null> {
    override init() {
      return ok(null);
    }
    @HandleCast() crash() {
      throw new Error('boom');
      return noReply();
    }
    @HandleCall() ask() {
      return reply(1);
    }
  }
  @Supervisor({ maxRestarts: 0 })
  @Module({ providers: [Doomed] })
  class DoomedModule {}
  const supervisor = { maxRestarts: 0 };

  it('gives a function the reason when the tree has given up', async () => {
    const gaveUp = deferred<unknown>();
    const application = await started({
      options: { supervisor, onTreeExit: gaveUp.resolve },
      imports: [DoomedModule],
    });
    const runtime = application.get(GenServerRuntime);
    runtime.cast(Doomed, 'crash');
    expect(await gaveUp.promise).toBe('shutdown');
    expect(runtime).toMatchObject({ status: 'gave_up', isReady: false });
  });

  it.each(['throws', 'rejects'])('only logs what goes wrong when the function %s', async (how) => {
    const errors: string[] = [];
    const application = await started({
      options: {
        supervisor,
        onTreeExit: () => {
          if (how === 'throws') throw new Error('cannot page anybody');
          return Promise.reject(new Error('cannot page anybody'));
        },
      },
      imports: [DoomedModule],
    });
    application.useLogger({ log: () => {}, warn: () => {}, error: (line: string) => errors.push(line) });
    const runtime = application.get(GenServerRuntime);
    const { down } = runtime.monitor(Doomed);
    runtime.cast(Doomed, 'crash');
    await down;
    await settle();
    expect(runtime.status).toBe('gave_up');
    expect(errors.at(-1)).toContain('onTreeExit failed: Error: cannot page anybody');
  });

  it("'keep' leaves the application running without servers, and close() still works", async () => {
    const application = await started({ options: { supervisor, onTreeExit: 'keep' }, imports: [DoomedModule] });
    const runtime = application.get(GenServerRuntime);
    const doomed = runtime.client<Doomed>(Doomed);
    doomed.crash();
    await settle();
    expect(runtime).toMatchObject({ status: 'gave_up', isReady: false });
    expect(runtime.tree()).toBeUndefined();
    const error = await rejectionOf(doomed.ask());
    expect(error).toBeInstanceOf(NoProcessError);
    expect(error).toMatchObject({
      message: 'No process: Doomed. The supervision tree has given up after too many restarts.',
    });
    await application.close();
    expect(runtime.status).toBe('stopped');
  });

  it('is not asked when a module supervisor is started again within the budget of the application', async () => {
    let wasAsked = false;
    const application = await started({
      options: { onTreeExit: () => void (wasAsked = true) },
      imports: [DoomedModule],
    });
    const runtime = application.get(GenServerRuntime);
    const first = runtime.whereis(Doomed)!;
    runtime.cast(Doomed, 'crash');
    await settle();
    expect(runtime.whereis(Doomed)).not.toBe(first);
    expect(runtime.status).toBe('running');
    expect(wasAsked).toBe(false);
  });

  it('is not asked when the application is closed', async () => {
    let wasAsked = false;
    const application = await started({
      options: { onTreeExit: () => void (wasAsked = true) },
      imports: [DoomedModule],
    });
    await application.close();
    expect(wasAsked).toBe(false);
  });
});

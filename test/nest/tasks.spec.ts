import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  Param,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  Down,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  NoProcessError,
  noReply,
  ok,
  Pid,
  Ref,
  reply,
  type Task,
  TaskResult,
  TaskSupervisor,
} from 'nestjs-genserver';
import { deferred, type Deferred, never } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, type Setup, started } from './support/application.js';

class PriceError extends Error {}

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
let diary: unknown[] = [];
let begun: Deferred<void>;
let gate: Deferred<number>;

beforeEach(() => {
  diary = [];
  begun = deferred();
  gate = deferred<number>();
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  await settle();
  process.removeListener('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** Notes that a task was told to stop, and why. */
const hang = (signal: AbortSignal): Promise<never> => {
  signal.addEventListener('abort', () => diary.push(['task stopped', signal.reason]));
  return never();
};

@GenServer()
class Quotes extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  /** Answered by a task, while the server goes on. */
  @HandleCall() quote(item: string) {
    const from = this.from<string>();
    void this.self
      .task(async () => {
        if (item === 'bad') throw new PriceError('no price');
        begun.resolve();
        return `${item}: ${await gate.promise}`;
      })
      .then(from.reply, from.replyError);
    return from.later(this.state + 1);
  }
  @HandleCall() asked() {
    return reply(this.state);
  }
  @HandleCast() prepare(value: unknown) {
    const { ref } = this.self.task(() => {
      if (value instanceof Error) throw value;
      return value;
    });
    diary.push(ref);
    return noReply();
  }
  @HandleCast() watchTheMarket() {
    this.self.task(hang);
    return noReply();
  }
  @HandleCast() crash() {
    throw new Error('crashed');
    return noReply();
  }
  @HandleInfo(TaskResult) protected onResult(result: TaskResult) {
    diary.push(result);
    return noReply();
  }
  @HandleInfo(Down) protected onDown(down: Down) {
    diary.push(down);
    return noReply();
  }
  override terminate(reason: unknown) {
    diary.push(['terminate', reason]);
  }
}

@Controller('quotes')
class QuotesController {
  constructor(@InjectGenServer(Quotes) private readonly quotes: GenServerClient<Quotes>) {}
  @Get('asked') asked() {
    return this.quotes.asked();
  }
  @Get(':item') quote(@Param('item') item: string) {
    return this.quotes.quote(item).catch((error: unknown) => String(error));
  }
}

/** An HTTP application. */
async function served(setup: Setup): Promise<INestApplication> {
  const application = (await compiled(setup)).createNestApplication({ logger: false });
  onTestFinished(() => application.close());
  return application.init();
}

async function quotes() {
  const application = await started({ providers: [Quotes] });
  const client = application.get<GenServerClient<Quotes>>(getGenServerToken(Quotes));
  return { application, client, runtime: application.get(GenServerRuntime) };
}

describe('self.task of an injected server', () => {
  it('answers a request of HTTP when it is done, and the server answers others meanwhile (K15)', async () => {
    const http = request((await served({ providers: [Quotes], controllers: [QuotesController] })).getHttpServer());
    const waiting = http.get('/quotes/tea').then(({ text }) => text);
    await begun.promise;
    await http.get('/quotes/bad').expect(200, 'Error: no price');
    await http.get('/quotes/asked').expect(200, '2');
    gate.resolve(3);
    expect(await waiting).toBe('tea: 3');
  });

  it('brings its result by @HandleInfo(TaskResult), then @HandleInfo(Down), when nobody waits (K15)', async () => {
    const { client } = await quotes();
    client.prepare('ready');
    await settle();
    const ref = diary[0] as Ref;
    expect(diary).toEqual([
      expect.any(Ref),
      new TaskResult(ref, 'ready'),
      new Down(ref, expect.any(Pid), expect.any(Pid), 'normal'),
    ]);
  });

  it('brings a failure by @HandleInfo(Down), which is reported once and for its owner (K15)', async () => {
    const { application, client, runtime } = await quotes();
    const errors: string[] = [];
    application.useLogger({ log: () => {}, warn: () => {}, error: (line: string) => errors.push(line) });
    const crashes: unknown[] = [];
    runtime.events$.subscribe((event) => /crashed/.test(event.type) && crashes.push(event));
    const boom = new PriceError('boom');
    client.prepare(boom);
    await settle();
    const ref = diary[0] as Ref;
    expect(diary).toEqual([ref, new Down(ref, expect.any(Pid), expect.any(Pid), boom)]);
    expect(crashes).toEqual([
      expect.objectContaining({ type: 'task.crashed', label: 'Task of Quotes', cause: boom, isAwaited: false }),
    ]);
    expect(errors.filter((line) => line.includes('boom'))).toEqual([expect.stringContaining('Task of Quotes')]);
    expect(await client.asked()).toBe(0);
  });

  it.each<[how: string, reason: unknown, end: (world: Awaited<ReturnType<typeof quotes>>) => unknown]>([
    ['is stopped', 'normal', ({ runtime }) => runtime.stop(Quotes)],
    ['crashes and starts again', expect.any(Error), ({ client }) => client.crash()],
    ['ends with the application', 'shutdown', ({ application }) => application.close()],
  ])('ends with a server that %s: its signal fires after terminate', async (_how, reason, end) => {
    const world = await quotes();
    world.client.watchTheMarket();
    await settle();
    await end(world);
    await settle();
    expect(diary).toEqual([
      ['terminate', reason],
      ['task stopped', 'shutdown'],
    ]);
  });
});

describe('an injected TaskSupervisor', () => {
  @Injectable()
  class Early implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
    constructor(readonly tasks: TaskSupervisor) {}
    onModuleInit() {
      diary.push(thrownBy(() => this.tasks.async(() => 1)));
    }
    async onApplicationBootstrap() {
      diary.push(await this.tasks.async(() => 'booted'));
    }
    onModuleDestroy() {
      diary.push(thrownBy(() => this.tasks.startChild(() => 1)));
      diary.push(thrownBy(() => this.tasks.asyncStream([1], () => 1)));
    }
  }

  async function tasks() {
    const clock = new ManualClock();
    const application = await started({ providers: [Quotes], options: { clock } });
    return { application, clock, tasks: application.get(TaskSupervisor), runtime: application.get(GenServerRuntime) };
  }

  it('takes tasks from onApplicationBootstrap on, and none any more when the application closes', async () => {
    const application = await started({ providers: [Quotes, Early] });
    await application.close();
    expect(diary).toEqual([
      expect.any(NoProcessError),
      'booted',
      ['terminate', 'shutdown'],
      expect.any(NoProcessError),
      expect.any(NoProcessError),
    ]);
    expect(String(diary[0])).toContain('onApplicationBootstrap');
    expect(String(diary[3])).toContain('shutting down');
  });

  it('gives results, failures and reasons to code outside of any process (K11, K12)', async () => {
    const { clock, tasks: supervisor, runtime } = await tasks();
    const boom = new PriceError('boom');
    expect(await supervisor.async(() => 'now')).toBe('now');
    expect(await rejectionOf(supervisor.async(() => Promise.reject(boom)).await())).toBe(boom);
    const slow = supervisor.async(hang);
    const looked = slow.yield(1_000);
    await clock.advance(1_000);
    expect(await looked).toBeUndefined();
    expect(supervisor.children()).toEqual([slow.pid]);
    expect(await slow.shutdown()).toBeUndefined();
    expect(diary).toEqual([['task stopped', 'shutdown']]);
    const child = supervisor.startChild(hang);
    await supervisor.terminateChild(child);
    expect(runtime.whereis(child)).toBeUndefined();
    expect(await rejectionOf(supervisor.terminateChild(child))).toMatchObject({ code: 'CHILD_STATE' });
    expect(supervisor.children()).toEqual([]);
  });

  it('ends its tasks before the servers end, and their waiters are told why (K14)', async () => {
    const { application, tasks: supervisor } = await tasks();
    const waiting = rejectionOf(supervisor.async(hang).await(Infinity));
    await settle();
    await application.close();
    expect(diary).toEqual([
      ['task stopped', 'shutdown'],
      ['terminate', 'shutdown'],
    ]);
    expect(await waiting).toMatchObject({ code: 'TASK_EXITED', reason: 'shutdown' });
  });

  it('takes its tasks with it when it is killed, and starts again for the next', async () => {
    const { tasks: supervisor, runtime } = await tasks();
    let pid: Pid | undefined;
    const watching = runtime.events$.subscribe((event) => {
      if (event.type === 'process.spawned' && event.label === 'Task.Supervisor') ({ pid } = event);
    });
    const waiting = rejectionOf(supervisor.async(hang).await(Infinity));
    watching.unsubscribe();
    await settle();
    runtime.exit(pid!, 'kill');
    expect(await waiting).toMatchObject({ code: 'TASK_EXITED', reason: 'killed' });
    expect(diary).toEqual([['task stopped', 'killed']]);
    expect(await supervisor.async(() => 'again')).toBe('again');
  });

  it('runs a stream of tasks for a controller, which stops what is running when it leaves (K13)', async () => {
    @Controller()
    class PricesController {
      constructor(private readonly supervisor: TaskSupervisor) {}
      @Get('all') async all() {
        const found: unknown[] = [];
        const work = (item: string) => {
          if (item === 'bad') throw new PriceError('no price');
          return item.length;
        };
        for await (const each of this.supervisor.asyncStream(['tea', 'bad', 'coffee'], work, {
          zipInputOnExit: true,
        })) {
          found.push(each.status === 'ok' ? each.value : { failed: each.input });
        }
        return found;
      }
      @Get('first') async first() {
        let hanging = 0;
        const bothHang = deferred();
        const work = (item: string, signal: AbortSignal) => {
          if (item === 'tea') return bothHang.promise.then(() => item);
          if (++hanging === 2) bothHang.resolve();
          return hang(signal);
        };
        const results = this.supervisor.asyncStream(['slow', 'tea', 'slower'], work, {
          ordered: false,
          maxConcurrency: 3,
        });
        for await (const each of results) return { ...each, left: this.supervisor.children().length };
        return 'none';
      }
      @Get('left') left() {
        return this.supervisor.children().length;
      }
    }
    const http = request((await served({ controllers: [PricesController] })).getHttpServer());
    await http.get('/all').expect(200, [3, { failed: 'bad' }, 6]);
    await http.get('/first').expect(200, { status: 'ok', value: 'tea', left: 2 });
    await http.get('/left').expect(200, '0');
    expect(diary).toEqual([
      ['task stopped', 'killed'],
      ['task stopped', 'killed'],
    ]);
  });

  it('tells clients over HTTP that it took too long, or was stopped, with the filter', async () => {
    @Controller()
    class ReportController {
      constructor(
        private readonly supervisor: TaskSupervisor,
        private readonly runtime: GenServerRuntime,
      ) {}
      @Get('slow') slow() {
        return this.supervisor.async(hang).await(0);
      }
      @Get('stopped') async stopped() {
        const task = this.supervisor.async(hang);
        const report = task.await();
        await this.supervisor.terminateChild(task.pid);
        return report;
      }
      @Get('killed') killed() {
        const task = this.supervisor.async(hang);
        const report = task.await();
        this.runtime.exit(task.pid, 'kill');
        return report;
      }
    }
    const filter = { provide: APP_FILTER, useClass: GenServerExceptionFilter };
    const application = await served({ controllers: [ReportController], providers: [filter] });
    const http = request(application.getHttpServer());
    await http.get('/slow').expect(504, {
      statusCode: 504,
      error: 'TASK_TIMEOUT',
      message: 'The server did not answer in time.',
    });
    await http.get('/stopped').expect(503).expect('Retry-After', '1');
    await http.get('/killed').expect(500, { statusCode: 500, message: 'Internal server error' });
  });

  it('lets nobody hear of a failure that nobody asked for, but the log', async () => {
    const { application, tasks: supervisor } = await tasks();
    const errors: string[] = [];
    application.useLogger({ log: () => {}, warn: () => {}, error: (line: string) => errors.push(line) });
    supervisor.startChild(() => Promise.reject(new PriceError('boom')));
    await settle();
    expect(errors.filter((line) => line.includes('boom'))).toHaveLength(1);
  });
});

describe('a task as a promise', () => {
  const failing = (supervisor: TaskSupervisor): Task<never> =>
    supervisor.async(() => Promise.reject(new PriceError('boom')));

  async function supervisor() {
    return (await started({})).get(TaskSupervisor);
  }

  it('is awaited where a handler does so or returns it: then what it gives has to be a result', async () => {
    @GenServer()
    class Sums extends GenServerBase<null> {
      @HandleCall() async sum() {
        const [one, two] = await Promise.all([this.self.task(() => 1), this.self.task(async () => 2)]);
        return reply(one + two);
      }
      @HandleCall() async first() {
        return reply(await Promise.race([this.self.task(never), this.self.task(() => 'first')]));
      }
      @HandleCall() async returned() {
        return this.self.task(() => reply('a result'));
      }
      @HandleCall() async wrong() {
        return this.self.task(() => 5) as never as ReturnType<typeof reply<number>>;
      }
    }
    const application = await started({ providers: [Sums] });
    const sums = application.get<GenServerClient<Sums>>(getGenServerToken(Sums));
    expect([await sums.sum(), await sums.first(), await sums.returned()]).toEqual([3, 'first', 'a result']);
    expect(await rejectionOf(sums.wrong())).toMatchObject({ reason: { badReturnValue: 5 } });
  });

  it('is awaited by an async function that returns it, and by Promise.all', async () => {
    const tasks = await supervisor();
    const viaHandler = async () => tasks.async(() => 1);
    expect(await Promise.all([viaHandler(), tasks.async(() => 2), tasks.async(async () => 3)])).toEqual([1, 2, 3]);
    expect(await rejectionOf(Promise.all([tasks.async(() => 1), failing(tasks)]))).toBeInstanceOf(PriceError);
    expect(await Promise.allSettled([failing(tasks)])).toEqual([
      { status: 'rejected', reason: expect.any(PriceError) },
    ]);
    expect(await Promise.race([tasks.async(never), tasks.async(() => 'first')])).toBe('first');
  });

  it('is an unhandled rejection only where somebody asked and did not handle it', async () => {
    const tasks = await supervisor();
    failing(tasks);
    const late = failing(tasks);
    await settle();
    expect(unhandled).toEqual([]);
    expect(await rejectionOf(late.await())).toBeInstanceOf(PriceError);
    void failing(tasks).then(() => undefined);
    await settle();
    expect(unhandled.splice(0)).toEqual([expect.any(PriceError)]);
  });
});

describe('runtime.startAgent', () => {
  it('gives an agent that is stopped with the application (A1)', async () => {
    const { application, runtime } = await quotes();
    const agent = await runtime.startAgent(async () => ({ visits: 1 }), { name: 'visits' });
    expect(await agent.getAndUpdate(({ visits }) => [visits, { visits: visits + 1 }])).toBe(1);
    expect(await runtime.call('visits', 'get', [(state: { visits: number }) => state.visits])).toBe(2);
    await application.close();
    expect(await rejectionOf(agent.get((state) => state))).toBeInstanceOf(NoProcessError);
    expect(await rejectionOf(runtime.startAgent(() => 1))).toMatchObject({ code: 'START_FAILED' });
  });

  it('rejects when its first state cannot be made (A2)', async () => {
    const { runtime } = await quotes();
    const error = await rejectionOf(runtime.startAgent(() => Promise.reject(new PriceError('boom'))));
    expect(error).toMatchObject({ code: 'START_FAILED', cause: expect.any(PriceError) });
  });
});

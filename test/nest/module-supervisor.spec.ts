import { Injectable, Module, type Type } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  AlreadyStartedError,
  ChildStartError,
  ChildStateError,
  error,
  GenServer,
  GenServerBase,
  type GenServerOptions,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  ignore,
  NoProcessError,
  noReply,
  ok,
  provideGenServer,
  reply,
  stop,
  Supervisor,
  SupervisorConfigError,
} from 'nestjs-genserver';
import { supervisorChildSpec } from 'nestjs-genserver/core';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { moduleOf, started } from './support/application.js';

const log: string[] = [];

@Injectable()
class Prices {
  readonly of = (item: string) => item.length;
}

@GenServer({ shutdownMs: 1_000 })
class Shelf extends GenServerBase<string> {
  constructor(private readonly prices: Prices) {
    super();
  }
  override init(label = 'listed') {
    if (label === 'refuse') return error('no room');
    if (label === 'ignore') return ignore();
    log.push(`start ${label}`);
    return ok(label);
  }
  @HandleCall() label() {
    return reply(this.state);
  }
  @HandleCall() price(item: string) {
    return reply(this.prices.of(item));
  }
  @HandleCast() crash() {
    throw new Error('boom');
    return noReply();
  }
  @HandleCast() finish() {
    return stop('normal');
  }
  override terminate() {
    log.push(`stop ${this.state}`);
  }
}

@GenServer({ restart: 'temporary' })
class Errand extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
}

const shop = () => moduleOf('ShopModule', { providers: [Prices, Shelf, Errand] });

async function shopUp(module: Type = shop()) {
  log.length = 0;
  const application = await started({ imports: [module, moduleOf('EmptyModule', {})] });
  const runtime = application.get(GenServerRuntime);
  return { application, runtime, supervisor: runtime.supervisor(module) };
}

@GenServer({ start: 'on_demand', idleMs: 1_000 })
class Visitor extends GenServerBase<null> {
  override init() {
    log.push('visit');
    return ok(null);
  }
}

describe('The supervisor of a module', () => {
  it('shows its children in start order, by name or class, and counts them (S19)', async () => {
    const { runtime, supervisor } = await shopUp();
    const children = await supervisor.whichChildren();
    expect(children.map(({ id, status, type }) => [id, status, type])).toEqual([
      [Shelf, 'running', 'worker'],
      [Errand, 'running', 'worker'],
    ]);
    expect(children[0]!.pid).toBe(runtime.whereis(Shelf));
    expect(await supervisor.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 });
  });

  it('is a child of the supervisor of the application', async () => {
    const { runtime } = await shopUp();
    expect(await runtime.supervisor().countChildren()).toEqual({ specs: 1, active: 1, supervisors: 1, workers: 0 });
    expect((await runtime.supervisor().whichChildren()).map(({ id, type }) => [id, type])).toEqual([
      ['ShopModule', 'supervisor'],
    ]);
  });

  it('starts one more child, with its dependencies, which is restarted and stopped as the others are (S17)', async () => {
    const { application, runtime, supervisor } = await shopUp();
    const pid = await supervisor.startChild(Shelf, { name: 'top', args: ['top'] });
    expect(runtime.whereis('top')).toBe(pid);
    expect(await runtime.call('top', 'price', ['pear'])).toBe(4);

    runtime.cast('top', 'crash');
    await settle();
    expect(runtime.whereis('top')).not.toBe(pid);
    expect(await runtime.call('top', 'label')).toBe('top');

    log.length = 0;
    await application.close();
    expect(log).toEqual(['stop top', 'stop listed']);
  });

  it('takes restart and shutdownMs from the class unless they are given', async () => {
    const { runtime, supervisor } = await shopUp();
    await supervisor.startChild(Errand, { name: 'once' });
    await supervisor.startChild(Errand, { name: 'always', restart: 'permanent' });
    runtime.exit('once', 'kill');
    runtime.exit('always', 'kill');
    await settle();
    expect(runtime.whereis('once')).toBeUndefined();
    expect(runtime.whereis('always')).toBeDefined();
    await expect(supervisor.startChild(Errand, { name: 'odd', shutdownMs: -1 })).rejects.toThrow(SupervisorConfigError);
  });

  it('tells children without a name apart by the id that they are given', async () => {
    const { supervisor } = await shopUp();
    await supervisor.startChild(Errand, { id: 'first' });
    await supervisor.startChild(Errand, { id: 'second' });
    expect((await supervisor.whichChildren()).map(({ id }) => id)).toEqual([Shelf, Errand, 'first', 'second']);
  });

  it('refuses a second child of one id, naming the first (S17)', async () => {
    const { runtime, supervisor } = await shopUp();
    const refusal = await rejectionOf(supervisor.startChild(Shelf));
    expect(refusal).toBeInstanceOf(AlreadyStartedError);
    expect((refusal as Error).message).toContain(runtime.whereis(Shelf)!.toString());
    await supervisor.terminateChild(Shelf);
    expect(await rejectionOf(supervisor.startChild(Shelf))).toMatchObject({ problem: 'already_present' });
  });

  it('keeps nothing of a child that does not start (S17)', async () => {
    const { runtime, supervisor } = await shopUp();
    const refusal = await rejectionOf(supervisor.startChild(Shelf, { name: 'top', args: ['refuse'] }));
    expect(refusal).toBeInstanceOf(ChildStartError);
    expect(refusal).toMatchObject({ reason: 'no room' });
    expect(runtime.whereis('top')).toBeUndefined();
    expect(await supervisor.countChildren()).toMatchObject({ specs: 2 });
  });

  it('keeps the spec of a child whose init ignored the start, and can start it later (S17)', async () => {
    const { supervisor } = await shopUp();
    let label = 'ignore';
    expect(await supervisor.startChild(Shelf, { id: 'spare', args: () => [label] })).toBeUndefined();
    label = 'spare';
    expect(await supervisor.restartChild('spare')).toBeDefined();
  });

  it('stops a child, keeps its place, and starts it there again (S18)', async () => {
    const { runtime, supervisor } = await shopUp();
    const before = runtime.whereis(Shelf);
    await supervisor.terminateChild(Shelf);
    expect(log).toEqual(['start listed', 'stop listed']);
    expect(runtime.whereis(Shelf)).toBeUndefined();
    expect((await rejectionOf(runtime.call(Shelf, 'label'))) as Error).toBeInstanceOf(NoProcessError);
    expect((await supervisor.whichChildren())[0]).toMatchObject({ id: Shelf, status: 'stopped', pid: undefined });

    const after = await supervisor.restartChild(Shelf);
    expect(after).not.toBe(before);
    expect((await supervisor.whichChildren()).map(({ id }) => id)).toEqual([Shelf, Errand]);
    expect(await runtime.call(Shelf, 'label')).toBe('listed');
  });

  it('forgets a temporary child that it stops (S18)', async () => {
    const { supervisor } = await shopUp();
    await supervisor.terminateChild(Errand);
    expect(await rejectionOf(supervisor.restartChild(Errand))).toMatchObject({ problem: 'not_found' });
  });

  it('forgets a stopped child when asked to, and no other (S18)', async () => {
    const { supervisor } = await shopUp();
    expect(await rejectionOf(supervisor.deleteChild(Shelf))).toMatchObject({ code: 'CHILD_STATE', problem: 'running' });
    expect(await rejectionOf(supervisor.restartChild(Shelf))).toMatchObject({ problem: 'running' });
    await supervisor.terminateChild(Shelf);
    await supervisor.deleteChild(Shelf);
    expect(await rejectionOf(supervisor.deleteChild(Shelf))).toBeInstanceOf(ChildStateError);
    expect(await supervisor.countChildren()).toMatchObject({ specs: 1 });
  });

  it('takes child specs, also of a supervisor with children of its own', async () => {
    const { runtime, supervisor } = await shopUp();
    await supervisor.startChild(
      supervisorChildSpec({
        label: 'Corner',
        strategy: 'one_for_all',
        children: [runtime.childSpec(Errand, { name: 'corner', restart: 'permanent' })],
      }),
    );
    expect(runtime.whereis('corner')).toBeDefined();
    expect(await supervisor.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 1, workers: 2 });
    expect(runtime.printTree()).toContain('Corner');
    const corner = runtime.whereis('corner');
    runtime.exit('corner', 'kill');
    await settle();
    expect(runtime.whereis('corner')).not.toBe(corner);
  });

  it('is found anew for each request: after its restart it has the children that the module lists', async () => {
    @Supervisor({ maxRestarts: 0 })
    @Module({ providers: [Prices, Shelf] })
    class FragileModule {}
    const { runtime, supervisor } = await shopUp(FragileModule);
    await supervisor.startChild(Shelf, { id: 'second', args: ['second'] });
    runtime.cast(Shelf, 'crash');
    await settle();
    expect((await supervisor.whichChildren()).map(({ id }) => id)).toEqual([Shelf]);
  });

  it('does not exist for a module that lists no servers, nor while the application does not run', async () => {
    const { application, runtime, supervisor } = await shopUp();
    expect(((await rejectionOf(runtime.supervisor('EmptyModule').whichChildren())) as Error).message).toBe(
      'No process: The supervisor EmptyModule. Only modules that list servers have one: ShopModule.',
    );
    await application.close();
    expect(await rejectionOf(supervisor.whichChildren())).toBeInstanceOf(NoProcessError);
  });

  it('goes by its label where two dynamic modules are of one class', async () => {
    class StoreModule {}
    const store = (name: string) => ({
      module: StoreModule,
      providers: [Prices, provideGenServer(Shelf, { name, args: [name] })],
    });
    const application = await started({ imports: [store('east'), store('west')] });
    const runtime = application.get(GenServerRuntime);
    const namesOf = async (label: string) =>
      (await runtime.supervisor(label).whichChildren()).map(({ id }) => id as string);
    expect([await namesOf('StoreModule'), await namesOf('StoreModule#2')].flat().sort()).toEqual(['east', 'west']);
    expect(((await rejectionOf(runtime.supervisor(StoreModule).whichChildren())) as Error).message).toContain(
      'Name one of them: StoreModule, StoreModule#2.',
    );
  });
});

describe('A child that may go idle', () => {
  it('is not started again when it has, though its class says nothing of restarts', async () => {
    log.length = 0;
    const clock = new ManualClock();
    const module = moduleOf('VisitorModule', { providers: [Visitor] });
    const application = await started({ imports: [module], options: { clock } });
    const runtime = application.get(GenServerRuntime);
    await runtime.supervisor(module).startChild(Visitor, { name: 'visitor' });
    expect(runtime.whereis('visitor')).toBeDefined();
    await clock.advance(1_000);
    await settle();
    expect([runtime.whereis('visitor'), log]).toEqual([undefined, ['visit']]);
  });

  it('is refused when it is permanent, since it would be started again at once', async () => {
    const { runtime, supervisor } = await shopUp();
    const message = /idleMs of Shelf must be left out with restart: 'permanent'.*got: 1000/;
    await expect(supervisor.startChild(Shelf, { name: 'x', idleMs: 1_000 })).rejects.toThrow(message);
    expect(() => runtime.childSpec(Shelf, { idleMs: 1_000, restart: 'permanent' })).toThrow(message);
    expect(await supervisor.startChild(Shelf, { name: 'x', idleMs: 1_000, restart: 'transient' })).toBeDefined();
  });
});

describe('An option that is given as undefined', () => {
  @GenServer({ trapExit: true, restart: 'temporary' })
  class Guard extends GenServerBase<null> {
    override init() {
      return ok(null);
    }
  }

  it('is as the class says, wherever it is given', async () => {
    const listed = { trapExit: undefined, restart: undefined } as unknown as GenServerOptions;
    const module = moduleOf('GuardModule', {
      providers: [Guard, provideGenServer(Guard, { ...listed, name: 'provided' })],
    });
    const application = await started({ imports: [module] });
    const runtime = application.get(GenServerRuntime);
    await runtime.start(Guard, { name: 'started', trapExit: undefined });
    await runtime.supervisor(module).startChild(Guard, { name: 'child', trapExit: undefined, restart: undefined });
    const names = ['provided', 'started', 'child'];
    const pids = names.map((name) => runtime.whereis(name));
    for (const name of names) runtime.exit(name, 'trapped');
    await settle();
    expect(names.map((name) => runtime.whereis(name))).toEqual(pids);
    for (const name of names) runtime.exit(name, 'kill');
    await settle();
    expect(names.map((name) => runtime.whereis(name))).toEqual([undefined, undefined, undefined]);
  });
});

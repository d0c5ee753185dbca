import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  reply,
} from 'nestjs-genserver';
import { GenServerOrchestrator } from '../../lib/nest/tree/gen-server.orchestrator.js';
import { started } from './support/application.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let at = 0; at < 8; at++) await turn();
};

type Leave = (fail: () => never) => void;

@GenServer()
class Forgetful extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() count() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCall() pid() {
    return reply(this.self.pid);
  }
  @HandleCast() leaveBehind(leave: Leave, error: unknown) {
    leave(() => {
      throw error;
    });
    return noReply();
  }
  @HandleCast() float(error: unknown) {
    void Promise.reject(error);
    return noReply();
  }
}

// The listeners of the test runner would take every exception for a failure of the test, so they are put aside.
describe('attributeExceptions', () => {
  const NAMES = ['unhandledRejection', 'uncaughtException'] as const;
  const aside = new Map<string, unknown[]>();
  let passedOn: unknown[][] = [];
  beforeEach(() => {
    passedOn = [];
    for (const name of NAMES) {
      aside.set(name, process.listeners(name as never));
      process.removeAllListeners(name);
    }
    process.on('uncaughtException', (...args) => void passedOn.push(args));
  });
  afterEach(() => {
    for (const name of NAMES) {
      process.removeAllListeners(name);
      for (const listener of aside.get(name)!) process.on(name, listener as never);
    }
  });

  const boom = new Error('boom');
  const forgetful = async (options = {}) => {
    const application = await started({ providers: [Forgetful], options: { attributeExceptions: true, ...options } });
    const { world } = application.get(GenServerOrchestrator);
    const crashes: unknown[] = [];
    world.events.on('gen_server.crashed', ({ reason }) => crashes.push(reason));
    const client = application.get(GenServerRuntime).client<Forgetful>(Forgetful);
    return { application, crashes, client };
  };

  it.each<[string, Leave]>([
    ['an immediate', (fail) => setImmediate(fail)],
    ['nextTick', (fail) => process.nextTick(fail)],
  ])('crashes the server that left the callback behind, once and with its error: %s', async (_name, leave) => {
    const { client, crashes } = await forgetful();
    const before = await client.pid();
    client.leaveBehind(leave, boom);
    await turns();
    const after = await client.pid();
    expect([after.id, after.incarnation]).toEqual([before.id, before.incarnation + 1]);
    expect(crashes).toEqual([boom]);
  });

  it('leaves alone an incarnation that did not do it', async () => {
    const { client, crashes, application } = await forgetful();
    let fail!: () => void;
    client.leaveBehind(
      (failing) => void new Promise<void>((resolve) => (fail = resolve)).then(() => setImmediate(failing)),
      boom,
    );
    application.get(GenServerRuntime).exit(await client.pid(), 'kill');
    await turns();
    await client.count();
    fail();
    await turns();
    expect([crashes, passedOn]).toEqual([[], [[boom, 'uncaughtException']]]);
    expect(await client.count()).toBe(2);
  });

  it('leaves what no server owns to the listeners that are there, who are told once', async () => {
    const { crashes } = await forgetful();
    setImmediate(() => {
      throw boom;
    });
    await turns();
    expect([crashes, passedOn]).toEqual([[], [[boom, 'uncaughtException']]]);
  });

  it('does not blame anybody for a rejection, which is for attributeRejections', async () => {
    const { client, crashes } = await forgetful();
    await client.count();
    client.float(boom);
    await turns();
    expect([crashes, passedOn, await client.count()]).toEqual([[], [[boom, 'unhandledRejection']], 2]);
  });

  it('passes a rejection that no server owns on once when both are attributed', async () => {
    await forgetful({ attributeRejections: true });
    void Promise.reject(boom);
    await turns();
    expect(passedOn).toEqual([[boom, 'unhandledRejection']]);
  });

  it('listens from the start of the servers to their stop, and not at all unless asked to', async () => {
    const count = () => process.listenerCount('uncaughtException') - 1;
    await started({ providers: [Forgetful], options: { attributeRejections: true } });
    expect(count()).toBe(0);
    const one = await forgetful();
    const other = await forgetful();
    expect(count()).toBe(1);
    await one.application.close();
    expect(count()).toBe(1);
    await other.application.close();
    expect(count()).toBe(0);
  });
});

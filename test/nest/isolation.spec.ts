import type { TestingModule } from '@nestjs/testing';
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
  ok,
  reply,
  TaskSupervisor,
} from 'nestjs-genserver';
import { started } from './support/application.js';

@GenServer({ start: 'on_demand' })
class Cart extends GenServerBase<number> {
  override init() {
    return ok(1);
  }
  @HandleCall() count() {
    return reply(this.state);
  }
}

@GenServer({ isolation: 'clone' })
class Echo extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() echo(value: { handle: object }) {
    return reply(value);
  }
}

const ECHO = getGenServerToken(Echo);
const CARTS = getDynamicSupervisorToken(Cart);

const echoOf = (application: TestingModule) => application.get<GenServerClient<Echo>>(ECHO);
const cartsOf = (application: TestingModule) => application.get<DynamicSupervisorClient<Cart>>(CARTS);

describe("a server with isolation: 'clone' gets and gives itself", () => {
  it.each<[string, (application: TestingModule) => unknown]>([
    ['an injected client', echoOf],
    ['a client with a timeout of its own', (application) => echoOf(application).with({ timeoutMs: 1_000 })],
    ['a client that the runtime makes', (application) => application.get(GenServerRuntime).client(Echo)],
    ['a dynamic supervisor', cartsOf],
    ['a client of a key', (application) => cartsOf(application).client('k')],
    ['a client that starts its server', (application) => cartsOf(application).getOrStart('k')],
    ['the runtime', (application) => application.get(GenServerRuntime)],
    ['the supervisor of a module', (application) => application.get(GenServerRuntime).supervisor()],
    ['the supervisor of tasks', (application) => application.get(TaskSupervisor)],
  ])('%s', async (_what, handleOf) => {
    const application = await started({ providers: [Echo, Cart] });
    const handle = (await handleOf(application)) as object;
    expect((await echoOf(application).echo({ handle })).handle).toBe(handle);
  });
});

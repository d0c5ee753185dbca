import type { ServerDefinition } from '../../gen-server/definition/server-definition.js';
import { whenStarted } from '../../gen-server/process/start-observer.js';
import { markAsHandle } from '../../runtime/isolation/handle.js';
import { Pid } from '../../runtime/pid.js';
import { print } from '../../runtime/secrets/print.js';
import type { Runtime } from '../../runtime/runtime.js';
import { ChildStateError } from '../../supervision/errors.js';
import type { KeyedServers } from './keyed-servers.js';
import { bind } from './client-target.js';
import type { DynamicSupervisorClient, KeyedChildInfo, KeyedChildSpec } from './dynamic-supervisor-client.js';
import type { GenServerClient } from './gen-server-client.js';
import { type KeyedForm, KeyedTarget, StartingTarget } from './keyed-target.js';

/** What a client of one process is made from. */
interface ServerForm {
  readonly blueprint: { readonly definition: ServerDefinition };
  readonly stubs: readonly (string | symbol)[];
}

/** What `@InjectDynamicSupervisor` injects: a plain object without a method that Nest could take for a hook. */
export function makeDynamicSupervisorClient(
  runtime: Runtime,
  keyed: KeyedServers,
  { blueprint: { definition }, stubs }: ServerForm,
): DynamicSupervisorClient<unknown> {
  const form: KeyedForm = { runtime, keyed, definition };

  const client: DynamicSupervisorClient<unknown> = {
    startChild({ key, args = [] }: KeyedChildSpec<unknown> = {}): Promise<Pid> {
      return whenStarted((observer) => keyed.start(key, args, observer));
    },
    async getOrStart(key: unknown, ...args: unknown[]): Promise<GenServerClient<unknown>> {
      const holder = await keyed.getOrStart(key, args);
      return bind(new StartingTarget(form, key, args, holder), {}, stubs) as GenServerClient<unknown>;
    },
    client: (key: unknown) => bind(new KeyedTarget(form, key), {}, stubs) as GenServerClient<unknown>,
    terminateChild(child: Pid | { readonly key: unknown }): Promise<void> {
      try {
        const pid = child instanceof Pid ? child : keyed.find(child.key)?.pid;
        return pid === undefined ? Promise.reject(notFound(keyed, child)) : keyed.supervisor.terminateChild(pid);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    whichChildren: () => whichChildren(keyed),
    countChildren: () => keyed.supervisor.countChildren(),
  };
  markAsHandle(client);
  return client;
}

function whichChildren(keyed: KeyedServers): readonly KeyedChildInfo[] {
  const keys = new Map<Pid | undefined, unknown>();
  for (const key of keyed.keys.keys()) keys.set(keyed.keys.whereisName(key), key);
  return keyed.supervisor
    .whichChildren()
    .map(({ pid, status }) => ({ pid, key: keys.get(pid), status: status === 'restarting' ? status : 'running' }));
}

function notFound(keyed: KeyedServers, child: Pid | { readonly key: unknown }): ChildStateError {
  const { key } = child as { readonly key: unknown };
  return new ChildStateError(`DynamicSupervisor(${keyed.label})`, print(key), 'not_found');
}

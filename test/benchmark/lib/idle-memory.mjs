// What one idle process weighs, ingredient by ingredient. Each variant is measured in a process of its own.
import { CounterWithDependencies, KeyedCounter, keyedApplication } from './keyed-application.mjs';
import { createWorld, DynamicSupervisor, GenServer, ok, reply, startDynamicSupervisor } from './subject-core.mjs';
// The door has no function that makes of a behaviour what a supervisor starts.
import { blueprintOfBehaviour } from '../../../dist/internals.cjs';
import { Server } from '../floor/genserver.mjs';

const counter = { init: () => ok(0), handleCall: (_request, _from, count) => reply(count + 1, count + 1) };

const core = (start) => async () => {
  const { runtime } = createWorld();
  await startDynamicSupervisor(runtime, { label: 'servers', name: 'servers' });
  return (i) => start(runtime, i);
};
const source = blueprintOfBehaviour(counter);
const nest = (type, start) => async () => {
  const { servers } = await keyedApplication(type);
  return (i) => start(servers, i);
};

/** By id (idle-variants.mjs): prepares, and gives the function that starts the i-th process. */
export const prepare = {
  floor: async () => async () => new Server({ count: 0 }, null),
  core: core((runtime) => GenServer.start(runtime, counter)),
  coreNamed: core((runtime, i) => GenServer.start(runtime, counter, { name: `counter ${i}` })),
  coreSupervised: core((runtime) => DynamicSupervisor.startChild(runtime, 'servers', { source })),
  coreSupervisedNamed: core((runtime, i) =>
    DynamicSupervisor.startChild(runtime, 'servers', { source, options: { name: `counter ${i}` } }),
  ),
  nest: nest(KeyedCounter, (servers) => servers.startChild()),
  nestKeyed: nest(KeyedCounter, (servers, key) => servers.startChild({ key })),
  nestKeyedDependencies: nest(CounterWithDependencies, (servers, key) => servers.startChild({ key })),
  nestKeyedCalled: nest(KeyedCounter, async (servers, key) => {
    await servers.startChild({ key });
    await servers.client(key).inc();
  }),
};

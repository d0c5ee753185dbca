import { expect, it } from 'vitest';
import { Agent } from '../../lib/gen-server/agent.js';
import { testWorld } from '../support/world.js';

it('an agent is found by its name, which is free again when it has stopped', async () => {
  const { runtime, localNames } = testWorld();
  const agent = await Agent.start(runtime, () => new Map<string, string>(), { name: 'agent' });
  expect(localNames.whereis('agent')).toBe(agent.pid);
  const named = Agent.of<ReadonlyMap<string, string>>(runtime, 'agent');
  named.cast((state) => new Map([...state, ['hello', 'world']]));
  expect(await named.get((state) => state.get('hello'))).toBe('world');
  expect(await named.getAndUpdate((state) => [state.get('hello'), new Map<string, string>()])).toBe('world');
  expect(await agent.get((state) => state.size)).toBe(0);
  await named.stop();
  expect([localNames.whereis('agent'), agent.pid, runtime.processCount]).toEqual([undefined, undefined, 0]);
});

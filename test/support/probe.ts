import { noReply, ok } from '../../lib/gen-server/results/callback-result.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { StartOptions } from '../../lib/gen-server/definition/start-options.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { TestWorld } from './world.js';

/** A process that keeps the messages it gets, in order, and lends out its `self`. */
export interface Probe {
  readonly pid: Pid;
  readonly self: Self;
  readonly messages: unknown[];
}

export async function startProbe(world: Pick<TestWorld, 'start'>, options?: StartOptions): Promise<Probe> {
  const messages: unknown[] = [];
  let lent!: Self;
  const pid = await world.start(
    {
      label: 'Probe',
      init: (_args, self) => {
        lent = self;
        return ok(null);
      },
      handleInfo: (message) => {
        messages.push(message);
        return noReply();
      },
    },
    options,
  );
  return { pid, self: lent, messages };
}

import { noReply, ok } from '../../lib/gen-server/results/callback-result.js';
import type { Behaviour } from '../../lib/gen-server/behaviour.js';
import type { From } from '../../lib/gen-server/process/from.js';
import type { Self } from '../../lib/gen-server/self.js';

/** What a step of a script is given. */
export interface Context<S = unknown> {
  readonly state: S;
  readonly self: Self;
  /** In a call only. */
  readonly from: From<unknown>;
}

export type Step<S = unknown> = (context: Context<S>) => unknown;

/** A server whose requests are callbacks: what is sent is what is done. Messages that are no callbacks are kept in `seen`. */
export interface Script extends Behaviour {
  readonly seen: unknown[];
}

export function script(overrides: Behaviour = {}): Script {
  const seen: unknown[] = [];
  return {
    seen,
    init: ([first]: [unknown], self) =>
      typeof first === 'function' ? (first as (self: Self) => unknown)(self) : ok(first as never),
    handleCall: (step: Step, from, state, self) => step({ from, state, self }),
    handleCast: (step: Step, state, self) => step({ state, self } as Context),
    handleInfo: (message, state, self) => {
      if (typeof message === 'function') return (message as Step)({ state, self } as Context);
      seen.push(message);
      return noReply();
    },
    handleContinue: (tag, [step]: [Step], state, self) => step({ state, self } as Context),
    ...overrides,
  };
}

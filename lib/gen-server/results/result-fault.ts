import { isPromise } from '../../runtime/secrets/inspect-safely.js';
import { print } from '../../runtime/secrets/print.js';
import { type CallbackResult, isResult, NO_ANSWER, type ResultKind } from './callback-result.js';
import { isThenable, whenSettled } from './thenable.js';

/** The kind of callback that returned a result, which decides what the result may be. */
export type ResultOrigin = 'call' | 'any_call' | 'cast' | 'init' | 'code_change';

const ALLOWED: Readonly<Record<ResultOrigin, readonly ResultKind[]>> = {
  call: ['reply', 'replyStream', 'replyError', 'later', 'stop'],
  // A plain behaviour gets `from` as an argument, so it may return without an answer, as in OTP (C12).
  any_call: ['reply', 'replyStream', 'replyError', 'later', 'noReply', 'stop'],
  cast: ['noReply', 'stop'],
  init: ['ok', 'stop', 'error', 'ignore'],
  code_change: ['ok', 'error'],
};

const REMEDY: Readonly<Record<ResultOrigin, string>> = {
  call: 'a call handler returns reply(value, state?), replyError(error), from.later() or stop(reason)',
  any_call: 'handleCall returns reply(value, state?), replyError(error), noReply(state?) or stop(reason)',
  cast: 'it has nobody to answer: return noReply(state?) or stop(reason)',
  init: 'init returns ok(state), ignore(), error(reason) or stop(reason)',
  code_change: 'codeChange returns ok(state) or error(reason)',
};

/** Describes why a value is not a valid result of a callback (R2, R3); undefined if it is one. */
export function faultOf(value: unknown, origin: ResultOrigin): string | undefined {
  if (!isResult(value)) return `${REMEDY[origin]}.`;
  if (!ALLOWED[origin].includes(value.kind)) return `${REMEDY[origin]}.`;
  return faultOfAnswer(value, origin) ?? faultOfModifier(value);
}

function faultOfAnswer({ kind, value, state, answer }: CallbackResult, origin: ResultOrigin): string | undefined {
  if (answer !== NO_ANSWER) {
    if (kind !== 'stop' || origin === 'cast' || origin === 'init')
      return 'only a stop of a call handler can carry a reply.';
    if (isThenable(answer)) return refusePromise(answer, 'reply');
  }
  if (kind === 'reply' && isThenable(value)) return refusePromise(value, 'reply');
  if (isPromise(state)) return refusePromise(state, 'state');
  return undefined;
}

/** The refused promise will never be awaited, so its rejection must not become an unhandled one. */
function refusePromise(promise: PromiseLike<unknown>, what: 'reply' | 'state'): string {
  whenSettled(promise, NOTHING, NOTHING);
  return `a promise is no ${what}: await it first.`;
}

const NOTHING = (): void => undefined;

function faultOfModifier({ modifier, kind }: CallbackResult): string | undefined {
  if (modifier === null) return undefined;
  if (modifier.type === 'more_than_one') return 'a result carries one of timeout, hibernate or continue, not several.';
  if (modifier.type === 'timeout' && !(typeof modifier.ms === 'number' && modifier.ms >= 0)) {
    return `a timeout is a number of milliseconds, 0 or more, got: ${print(modifier.ms)}.`;
  }
  if (kind === 'stop' || kind === 'error' || kind === 'ignore')
    return `${kind} cannot carry timeout, hibernate or continue.`;
  return undefined;
}

import { types } from 'node:util';
import type { ArgumentIssue } from '../arguments-refused-error.js';
import { ArgumentsRefusedError } from '../arguments-refused-error.js';
import { noReply, replyError } from '../results/callback-result.js';
import { disregardMessage } from '../process/quiet-time.js';
import type { ArgumentsRefused } from '../events.js';
import { type GenServerBase, processOf } from '../gen-server-base.js';
import type { HandlerMethod } from '../definition/server-definition.js';
import { type AnySchema, type ArgumentSchemas, isStandardSchema } from './standard-schema.js';
import { isThenable } from '../results/thenable.js';
import { MessageCleaner } from './without-values.js';
import { hasProperty, isArray, propertyOf } from '../../runtime/secrets/inspect-safely.js';

/** Enough to see what is wrong; listing all of a million wrong items would not help. */
const MOST_ISSUES = 100;
const LONGEST_PATH = 20;

/** A handler guarded by its schemas. */
interface Guarded {
  readonly server: string;
  readonly handler: string | symbol;
  readonly kind: 'call' | 'cast';
  readonly schemas: readonly AnySchema[];
  readonly method: HandlerMethod;
}

/** The outcome of the schemas: the handler's arguments, or why it does not run. */
type Verdict =
  | { readonly args: readonly unknown[] }
  | { readonly issues: readonly ArgumentIssue[]; readonly cause?: { readonly thrown: unknown } };

/** The result of one schema, or what it threw instead. */
type Outcome = { readonly said: unknown } | { readonly thrown: unknown };

/**
 * Puts schemas in front of a handler. They run in the process, in the turn of the message: the handler receives exactly what they
 * checked, no later message overtakes a slow schema, and a handler without schemas has no overhead.
 */
export function withSchemas(
  { server, handler, kind }: Omit<Guarded, 'schemas' | 'method'>,
  schemas: ArgumentSchemas,
  method: HandlerMethod,
): HandlerMethod {
  const list: readonly AnySchema[] = isStandardSchema(schemas) ? [schemas] : schemas;
  const guarded: Guarded = { server, handler, kind, schemas: list, method };
  return function (this: GenServerBase<unknown>, ...args: unknown[]): unknown {
    const verdict = judge(list, args);
    if (!(verdict instanceof Promise)) return proceed(this, guarded, verdict);
    // A process that has ended meanwhile runs no more handlers.
    return verdict.then((late) => (processOf(this).isFenced ? noReply() : proceed(this, guarded, late)));
  };
}

function proceed(instance: GenServerBase<unknown>, guarded: Guarded, verdict: Verdict): unknown {
  if ('args' in verdict) return guarded.method.apply(instance, verdict.args as unknown[]);
  const { server, handler, kind } = guarded;
  const { issues, cause } = verdict;
  const process = processOf(instance);
  disregardMessage(process);
  const { runtime, pid } = process;
  if (runtime.events.wants('gen_server.arguments_refused')) {
    const event: ArgumentsRefused = {
      type: 'gen_server.arguments_refused',
      pid,
      label: process.label,
      kind,
      handler,
      issues,
    };
    runtime.events.emit(event);
  }
  if (kind === 'cast') return noReply();
  const options = cause === undefined ? {} : { cause: runtime.redaction.reason(cause.thrown) };
  return replyError(new ArgumentsRefusedError(server, handler, issues, options));
}

function judge(schemas: readonly AnySchema[], args: readonly unknown[]): Verdict | Promise<Verdict> {
  if (args.length > schemas.length) {
    const message = `it is one too many: there ${schemas.length === 1 ? 'is 1 schema' : `are ${schemas.length} schemas`}`;
    return { issues: [{ path: [schemas.length], message }] };
  }
  const outcomes = schemas.map((schema, at) => ask(schema, args[at]));
  if (outcomes.every((outcome) => !(outcome instanceof Promise))) return sumUp(outcomes as readonly Outcome[], args);
  return sumUpLate(outcomes, args);
}

async function sumUpLate(
  outcomes: readonly (Outcome | Promise<Outcome>)[],
  given: readonly unknown[],
): Promise<Verdict> {
  const settled: Outcome[] = [];
  // A schema that fails is an outcome as well, so no rejection is left unhandled.
  for (const outcome of outcomes) settled.push(await outcome);
  return sumUp(settled, given);
}

/** A schema that fails has not accepted the value. */
function ask(schema: AnySchema, value: unknown): Outcome | Promise<Outcome> {
  try {
    const said: unknown = schema['~standard'].validate(value);
    if (!isThenable(said)) return { said };
    return Promise.resolve(said).then(
      (late): Outcome => ({ said: late }),
      (thrown: unknown): Outcome => ({ thrown }),
    );
  } catch (thrown) {
    return { thrown };
  }
}

function sumUp(outcomes: readonly Outcome[], given: readonly unknown[]): Verdict {
  const args: unknown[] = [];
  const issues: ArgumentIssue[] = [];
  const cleaner = new MessageCleaner();
  let cause: { readonly thrown: unknown } | undefined;
  outcomes.forEach((outcome, at) => {
    if ('thrown' in outcome) {
      cause ??= outcome;
      issues.push({ path: [at], message: 'the schema failed to judge it' });
      return;
    }
    const { said } = outcome;
    const found = propertyOf(said, 'issues');
    if (isArray(found)) {
      // At least one issue: a refusal without a message is still a refusal.
      for (let n = 0; n === 0 || (n < lengthOf(found) && issues.length < MOST_ISSUES); n++) {
        issues.push(readIssue(propertyOf(found, n), at, given[at], cleaner));
      }
    } else if (hasProperty(said, 'value')) {
      args.push(propertyOf(said, 'value'));
    } else {
      issues.push({ path: [at], message: 'the schema answered neither a value nor issues' });
    }
  });
  if (issues.length === 0 && args.length === outcomes.length) return { args };
  return cause === undefined ? { issues } : { issues, cause };
}

function lengthOf(list: readonly unknown[]): number {
  const length = propertyOf(list, 'length');
  return typeof length === 'number' ? length : 0;
}

/** Reads the result of a schema, which is a foreign object: parts that cannot be read are treated as absent. */
function readIssue(issue: unknown, argument: number, given: unknown, cleaner: MessageCleaner): ArgumentIssue {
  const path = propertyOf(issue, 'path');
  const keys: unknown[] = [];
  if (isArray(path)) {
    for (let at = 0; at < lengthOf(path) && at < LONGEST_PATH; at++) {
      const segment = propertyOf(path, at);
      keys.push(typeof segment === 'object' ? propertyOf(segment, 'key') : segment);
    }
  }
  const message = cleaner.clean(propertyOf(issue, 'message'), valueAt(given, keys));
  return { path: [argument, ...keys.map((key) => cleaner.cleanKey(key))], message };
}

/** The value that an issue is about, following its path as far as possible. A value that cannot be inspected stands for itself. */
function valueAt(given: unknown, keys: readonly unknown[]): unknown {
  let value = given;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || types.isProxy(value)) return value;
    value = types.isMap(value)
      ? valueOfMap.call(value, key)
      : Object.getOwnPropertyDescriptor(value, key as PropertyKey)?.value;
  }
  return value;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called on a map above, which may have a field of that name
const valueOfMap = Map.prototype.get as (this: unknown, key: unknown) => unknown;

import { types } from 'node:util';
import { hasSecretField } from './secret-fields.js';
import { Shape } from './shape.js';

/** Stands where a secret was. */
export const REDACTED = '[redacted]';
/** Stands for what a getter would give. */
const GETTER = '[getter]';
/** Stands where nobody looked for one: too far in, too much of it, or a proxy. */
const NOT_LOOKED_AT = '[not looked at]';

/** A value of more parts is not looked at to the end: a report must not take longer than what it reports. */
const MOST_PARTS = 10_000;
const DEEPEST = 100;
const LONGEST_NAME = 200;
/** Verdicts on the names of fields are remembered, up to so many: those of a dictionary are without end. */
const MOST_NAMES = 1_000;

/** Of names without their punctuation, in small letters: `x-api-key`, `API_KEY` and `apiKey` are one. */
const SECRET_NAMES = new RegExp(
  [
    'password|passwd|passphrase|secret|credential|authorization|cookie|sessionid|connectionstring',
    '(?:api|access|private|signing|encryption)key',
    'tokens?$',
    '^(?:pass|pwd|auth|jwt|cvv|cvc|ssn)$',
  ].join('|'),
);

/** Which arguments of a handler are secret: those at these places, or all of them and the answer. */
export type SecretArguments = 'all' | ReadonlySet<number>;

/**
 * What may be shown of a value to whoever reads logs, events, traces and errors: everything but what has the name of a secret or is
 * marked as one; and where values are not to be shown at all, only their shape. What nothing is to be hidden of is given back as it is.
 * Never throws, and runs no code of the value's.
 */
export class Redaction {
  private readonly names: ReadonlySet<string>;
  private readonly patterns: readonly RegExp[];
  private readonly verdicts = new Map<string, boolean>();

  /**
   * @param names  Names of fields and keys that are secret besides the usual ones: a string is the name however it is spelt, an
   *   expression is tried on the name as it is.
   * @param showsValues  Whether states, messages, arguments and answers are shown, rather than their shape.
   */
  constructor(
    names: readonly (string | RegExp)[] = [],
    readonly showsValues = true,
  ) {
    this.names = new Set(names.filter((name) => typeof name === 'string').map(plain));
    // An expression that is global or sticky would remember where it matched last.
    this.patterns = names
      .filter((name) => name instanceof RegExp)
      .map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, '')));
  }

  /** A state, message, argument or answer, as it may be shown. */
  shown(value: unknown): unknown {
    return this.showsValues ? this.withoutSecrets(value) : Shape.of(value);
  }

  /** The arguments of a handler, as they may be shown. */
  arguments(args: readonly unknown[], secret: SecretArguments | undefined): readonly unknown[] {
    if (args.length === 0) return args;
    return args.map((arg, at) => (secret === 'all' || secret?.has(at) ? REDACTED : this.shown(arg)));
  }

  /** A reason or a cause, as it may be shown: it is for reading, so of its shape alone nobody would learn anything. */
  reason<T>(reason: T): T {
    if (!this.showsValues && holdsBadValue(reason)) {
      return { ...reason, badReturnValue: Shape.of(reason.badReturnValue) };
    }
    return this.withoutSecrets(reason);
  }

  /** The value itself when there is no secret in it, else a copy without. */
  withoutSecrets<T>(value: T): T {
    if (typeof value !== 'object' || value === null) return value;
    try {
      return this.isHarmless(value) ? value : (this.copyOf(value, new Copies(), 0) as T);
    } catch {
      return NOT_LOOKED_AT as T;
    }
  }

  private isSecretName(name: string): boolean {
    let verdict = this.verdicts.get(name);
    if (verdict === undefined) {
      if (this.verdicts.size >= MOST_NAMES) this.verdicts.clear();
      this.verdicts.set(name, (verdict = this.meansSecret(name)));
    }
    return verdict;
  }

  private meansSecret(name: string): boolean {
    if (name.length > LONGEST_NAME) return false;
    const spelling = plain(name);
    return (
      SECRET_NAMES.test(spelling) || this.names.has(spelling) || this.patterns.some((pattern) => pattern.test(name))
    );
  }

  private isSecret(owner: object, key: unknown, value: unknown): boolean {
    // Whether there is one is no secret.
    if (value === undefined || value === null || typeof value === 'boolean') return false;
    // The keys of a map are data, which nothing here may keep alive; the names of fields Node keeps anyway.
    if (typeof key === 'string' && (types.isMap(owner) ? this.meansSecret(key) : this.isSecretName(key))) return true;
    if (typeof key === 'symbol' && this.isSecretName(key.description ?? '')) return true;
    return (typeof key === 'string' || typeof key === 'symbol') && hasSecretField(owner, key);
  }

  private isHarmless(root: object): boolean {
    const seen = new Set<object>([root]);
    let count = 0;
    const givesPause: PartTest = (whole, key, value) => {
      if (++count > MOST_PARTS || this.isSecret(whole, key, value)) return true;
      if (isWhole(key)) seen.add(key);
      if (isWhole(value)) seen.add(value);
      return false;
    };
    // A set that grows while it is walked: every part gets its turn.
    for (const whole of seen) {
      if (types.isProxy(whole) || hasPart(whole, givesPause)) return false;
    }
    return true;
  }

  private copyOf(whole: unknown, copies: Copies, depth: number): unknown {
    if (!isWhole(whole)) return whole;
    const present = copies.find(whole);
    if (present !== undefined) return present;
    if (depth > DEEPEST || copies.areTooMany || types.isProxy(whole)) return NOT_LOOKED_AT;
    if (Array.isArray(whole)) {
      const copy: unknown[] = copies.add(whole, []);
      for (const item of whole as unknown[]) {
        if (copies.areTooMany) break;
        copy.push(this.copyOfPart(whole, undefined, item, copies, depth));
      }
      if (copy.length < whole.length) copy.push(NOT_LOOKED_AT);
      return copy;
    }
    if (types.isMap(whole)) {
      const copy = copies.add(whole, new Map<unknown, unknown>());
      for (const [key, value] of whole) {
        if (copies.areTooMany) return copy.set(NOT_LOOKED_AT, NOT_LOOKED_AT);
        copy.set(this.copyOf(key, copies, depth + 1), this.copyOfPart(whole, key, value, copies, depth));
      }
      return copy;
    }
    if (types.isSet(whole)) {
      const copy = copies.add(whole, new Set<unknown>());
      for (const item of whole) {
        if (copies.areTooMany) return copy.add(NOT_LOOKED_AT);
        copy.add(this.copyOfPart(whole, undefined, item, copies, depth));
      }
      return copy;
    }
    const copy = copies.add(whole, Object.create(Object.getPrototypeOf(whole) as object | null) as object);
    for (const key of Reflect.ownKeys(whole)) {
      const property = Object.getOwnPropertyDescriptor(whole, key)!;
      const { enumerable = false } = property;
      // The stack of an error may be a getter that works on the error itself and not on a copy.
      const isStack = key === 'stack' && whole instanceof Error;
      if (isGetter(property) && !isStack && !this.isSecret(whole, key, REDACTED)) {
        // What it would give is asked for by whoever reads the copy, as with the original.
        Object.defineProperty(copy, key, { ...property, configurable: true });
        continue;
      }
      const part = this.copyOfPart(whole, key, isStack ? whole.stack : visibleValueOf(property), copies, depth);
      Object.defineProperty(copy, key, { value: part, enumerable, writable: true, configurable: true });
    }
    return copy;
  }

  private copyOfPart(whole: object, key: unknown, value: unknown, copies: Copies, depth: number): unknown {
    copies.partCount++;
    return this.isSecret(whole, key, value) ? REDACTED : this.copyOf(value, copies, depth + 1);
  }
}

/** What has been copied already, so that a circle stays one. */
class Copies {
  partCount = 0;
  private readonly copies = new Map<object, object>();

  get areTooMany(): boolean {
    return this.partCount > MOST_PARTS;
  }

  find(whole: object): object | undefined {
    return this.copies.get(whole);
  }

  add<T extends object>(whole: object, copy: T): T {
    this.copies.set(whole, copy);
    return copy;
  }
}

/** Whether a value has parts that could be secret. */
function isWhole(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !types.isDate(value) &&
    !types.isRegExp(value) &&
    !types.isPromise(value) &&
    !types.isAnyArrayBuffer(value) &&
    !ArrayBuffer.isView(value)
  );
}

type PartTest = (whole: object, key: unknown, value: unknown) => boolean;

/** Whether the test holds for one of the parts of a value; what a getter would give is not asked for. */
function hasPart(whole: object, test: PartTest): boolean {
  if (Array.isArray(whole)) {
    for (const item of whole as unknown[]) if (test(whole, undefined, item)) return true;
  } else if (types.isMap(whole)) {
    for (const [key, value] of whole) if (test(whole, key, value)) return true;
  } else if (types.isSet(whole)) {
    for (const item of whole) if (test(whole, undefined, item)) return true;
  } else {
    for (const key of Reflect.ownKeys(whole)) {
      // To look at a stack is to make it, which is slow.
      if (key === 'stack' && whole instanceof Error) continue;
      const descriptor = Object.getOwnPropertyDescriptor(whole, key);
      if (descriptor !== undefined && test(whole, key, visibleValueOf(descriptor))) return true;
    }
  }
  return false;
}

/** A getter is not run: what it would give may well be something. */
function visibleValueOf(property: PropertyDescriptor): unknown {
  return isGetter(property) ? GETTER : property.value;
}

function isGetter(property: PropertyDescriptor): boolean {
  return !('value' in property);
}

function holdsBadValue(reason: unknown): reason is { readonly badReturnValue: unknown } {
  return (
    typeof reason === 'object' && reason !== null && !types.isProxy(reason) && Object.hasOwn(reason, 'badReturnValue')
  );
}

function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}

/** With the usual names only: for what is put into words where no runtime is at hand. */
export const USUAL_REDACTION = new Redaction();

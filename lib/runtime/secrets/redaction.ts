import { types } from 'node:util';
import { NOT_LOOKED_AT, RedactingWalk, REDACTED } from './redacting-walk.js';
import { SecretNames } from './secret-names.js';
import { Shape } from './shape.js';

export { REDACTED };

/** Which arguments of a handler are secret: those at these positions, or all of them and the answer. */
export type SecretArguments = 'all' | ReadonlySet<number>;

/**
 * What readers of logs, events, traces and errors may see of a value: everything that is known to be harmless, except what has
 * a secret name or is marked as secret; of anything else its class; and where values are not shown at all, only their shape. A value
 * with nothing to hide is returned as it is. Takes no longer for a large value than for a small one, never throws, and runs no
 * code of the value's.
 */
export class Redaction {
  readonly names: SecretNames;

  /**
   * @param names  Further secret names of fields and keys besides the usual ones: a string matches the name in any spelling, an
   *   expression is tested against the name as it is.
   * @param showsValues  Whether states, messages, arguments and answers are shown, rather than their shape.
   */
  constructor(
    names: readonly (string | RegExp)[] = [],
    readonly showsValues = true,
  ) {
    this.names = new SecretNames(names);
  }

  /** A state, message, argument or answer, as it may be shown. */
  shown(value: unknown): unknown {
    return this.showsValues ? this.withoutSecrets(value) : Shape.of(value);
  }

  /** The arguments of a handler, as they may be shown. They are walked as one value, however many there are. */
  arguments(args: readonly unknown[], secret: SecretArguments | undefined): readonly unknown[] {
    if (args.length === 0) return args;
    const walk = new RedactingWalk(this.names);
    const shown: unknown[] = [];
    for (let at = 0; at < args.length; at++) {
      if (walk.isOver) {
        shown.push(NOT_LOOKED_AT);
        break;
      }
      walk.count();
      if (secret === 'all' || secret?.has(at)) shown.push(REDACTED);
      else shown.push(this.showsValues ? walk.shown(args[at]) : Shape.of(args[at]));
    }
    return shown;
  }

  /** A reason or a cause, as it may be shown: it is meant for reading, so its shape alone would tell readers nothing. */
  reason<T>(reason: T): T {
    if (!this.showsValues && holdsBadValue(reason)) return { badReturnValue: Shape.of(reason.badReturnValue) } as T;
    return this.withoutSecrets(reason);
  }

  /** The value itself when it contains no secret, or else a copy without its secrets. */
  withoutSecrets<T>(value: T): T {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return value;
    return new RedactingWalk(this.names).shown(value) as T;
  }
}

function holdsBadValue(reason: unknown): reason is { readonly badReturnValue: unknown } {
  if (typeof reason !== 'object' || reason === null || types.isProxy(reason)) return false;
  const field = Object.getOwnPropertyDescriptor(reason, 'badReturnValue');
  return field !== undefined && 'value' in field;
}

/** With the usual names only: for descriptions where no runtime is at hand. */
export const USUAL_REDACTION = new Redaction();

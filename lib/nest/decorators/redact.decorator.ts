import { InvalidArgumentError } from '../../runtime/errors.js';
import { markSecretField } from '../../runtime/secrets/secret-fields.js';
import { markSecretArguments } from '../discovery/secret-arguments.js';

/** Goes on a field of a class, on a parameter of a handler, or on a handler. @publicApi */
export interface RedactDecorator {
  (target: object, key: string | symbol): void;
  (target: object, key: string | symbol | undefined, parameter: number): void;
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

/**
 * Keeps something secret in logs, events, traces, status and errors, whatever its name: on a field of a class that states, messages or
 * arguments are made of, the field; on a parameter of a handler, that argument; on a handler, all its arguments and its answer.
 * Handlers and `sys.getState` see it as it is.
 *
 * @publicApi
 */
export function Redact(): RedactDecorator {
  return (target: object, key: string | symbol | undefined, place?: number | PropertyDescriptor): void => {
    if (key === undefined) {
      throw new InvalidArgumentError(
        `@Redact() cannot stand on a parameter of a constructor (${(target as { name?: string }).name}): no field is known there. ` +
          'Declare the field in the class, and decorate that.',
      );
    }
    if (typeof place === 'number') markSecretArguments(target, key, place);
    else if (typeof place?.value === 'function') markSecretArguments(target, key, 'all');
    else markSecretField(target, key);
  };
}

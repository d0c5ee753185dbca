import { GenServerError } from '../runtime/errors.js';
import type { Pid } from '../runtime/pid.js';
import { print } from '../runtime/secrets/print.js';

/**
 * The key of a unique registry is taken (N7), perhaps by the process itself. Nothing was changed.
 *
 * @publicApi
 */
export class AlreadyRegisteredError extends GenServerError {
  override name = 'AlreadyRegisteredError';
  readonly code = 'ALREADY_REGISTERED';

  constructor(
    readonly registry: string,
    readonly key: unknown,
    /** The process that has the key. It may have ended a moment later. */
    readonly holder: Pid,
    isOneself: boolean,
  ) {
    super(
      `Registry '${registry}': the key ${print(key)} is taken by ${isOneself ? 'this very process, ' : ''}${holder.toString()}. ` +
        `${isOneself ? 'Change the value with updateValue' : 'Take another key'}, or use a registry with keys: 'duplicate'.`,
    );
  }
}

/**
 * There is no registry of that name in this runtime (N10).
 *
 * @publicApi
 */
export class UnknownRegistryError extends GenServerError {
  override name = 'UnknownRegistryError';
  readonly code = 'UNKNOWN_REGISTRY';

  constructor(
    readonly registry: string,
    known: Iterable<string>,
  ) {
    super(
      `There is no registry '${registry}'. Create it first, or use one of: ` +
        ([...known].map((name) => `'${name}'`).join(', ') || '(there is none)'),
    );
  }
}

/**
 * The process is already present on the topic under that key (B5). Nothing was changed.
 *
 * @publicApi
 */
export class AlreadyTrackedError extends GenServerError {
  override name = 'AlreadyTrackedError';
  readonly code = 'ALREADY_TRACKED';

  constructor(
    readonly pid: Pid,
    readonly topic: string,
    readonly key: string,
  ) {
    super(
      `${pid.toString()} is already tracked on topic '${topic}' under the key '${key}'. Change what is known of it with update.`,
    );
  }
}

/**
 * The process is not present on the topic under that key, so there is nothing to update (B5). It was never tracked, was
 * untracked, or has ended.
 *
 * @publicApi
 */
export class NoPresenceError extends GenServerError {
  override name = 'NoPresenceError';
  readonly code = 'NO_PRESENCE';

  constructor(
    readonly pid: Pid,
    readonly topic: string,
    readonly key: string,
  ) {
    super(`${pid.toString()} is not tracked on topic '${topic}' under the key '${key}'. Call track first.`);
  }
}

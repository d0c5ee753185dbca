import { InvalidArgumentError } from '../../runtime/errors.js';
import { isArray } from '../../runtime/secrets/inspect-safely.js';
import { print } from '../../runtime/secrets/print.js';
import type { Runtime } from '../../runtime/runtime.js';
import { Shape } from '../../runtime/secrets/shape.js';
import { GenServerProcess } from '../process/gen-server-process.js';
import { SystemRequest } from '../process/system-request.js';

/**
 * How the configuration of the application changed (AP5). Unchanged keys are in none of the three members.
 *
 * @publicApi
 */
export interface ConfigChange {
  /** The keys whose value changed, with the new value. */
  readonly changed: Readonly<Record<string, unknown>>;
  /** The new keys, with their value. */
  readonly added: Readonly<Record<string, unknown>>;
  /** The keys that no longer exist. */
  readonly removed: readonly string[];
}

/** Runs `onConfigChange` when its turn in the queue comes. A full mailbox never sheds it; a suspended server handles it once resumed. */
class ConfigChangeRequest extends SystemRequest {
  constructor(private readonly change: ConfigChange) {
    super();
  }

  override get runsHandler(): boolean {
    return true;
  }

  /** The keys, and of which type their values are: what an application is configured with is secret more often than not. */
  override get subject(): unknown {
    const { changed, added, removed } = this.change;
    return { changed: Shape.of(changed), added: Shape.of(added), removed };
  }

  perform(server: GenServerProcess): void {
    const { changed, added, removed } = this.change;
    server.invoke(server.definition.configChange!.many, [changed, added, removed]);
  }
}

/**
 * Tells every live server that defines `onConfigChange`, behind what waits in its mailbox, and leaves the others alone. Answers
 * how many were told; it does not wait for them. A change that changes nothing is told to nobody.
 */
export function configChange(runtime: Runtime, change: Partial<ConfigChange>): number {
  const { changed = {}, added = {}, removed = [] } = change;
  if (!isDictionary(changed) || !isDictionary(added) || !isArray(removed)) {
    throw new InvalidArgumentError(
      `A change of the configuration is { changed: object, added: object, removed: array of keys }, got: ${print(change)}`,
    );
  }
  if (removed.length === 0 && isEmpty(changed) && isEmpty(added)) return 0;
  const request = new ConfigChangeRequest({ changed, added, removed });
  let told = 0;
  for (const process of runtime.processes()) {
    if (!(process instanceof GenServerProcess) || process.definition.configChange === undefined) continue;
    process.deliver(request, undefined);
    told++;
  }
  return told;
}

function isEmpty(dictionary: object): boolean {
  return Object.keys(dictionary).length === 0;
}

function isDictionary(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isArray(value);
}

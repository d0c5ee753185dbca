import { InvalidArgumentError } from '../../runtime/errors.js';
import { print } from '../../runtime/secrets/print.js';
import type { Runtime } from '../../runtime/runtime.js';
import { GenServerProcess } from '../process/gen-server-process.js';
import { SystemRequest } from '../process/system-request.js';

/**
 * How the configuration of the application changed (AP5). What stayed as it was is in none of the three.
 *
 * @publicApi
 */
export interface ConfigChange {
  /** Keys that have another value now, with that value. */
  readonly changed: Readonly<Record<string, unknown>>;
  readonly added: Readonly<Record<string, unknown>>;
  readonly removed: readonly string[];
}

/** Runs `onConfigChange` in its place in the queue. It is never dropped by a full mailbox, and waits while the server is suspended. */
class ConfigChangeRequest extends SystemRequest {
  constructor(private readonly change: ConfigChange) {
    super();
  }

  override get runsHandler(): boolean {
    return true;
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
  if (!isDictionary(changed) || !isDictionary(added) || !Array.isArray(removed)) {
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
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

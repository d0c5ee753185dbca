import type { GenServerProcess } from '../../gen-server/process/gen-server-process.js';
import type { ServerDefinition } from '../../gen-server/definition/server-definition.js';
import type { NameSlot } from '../../registry/name-table.js';
import { processOf } from '../../runtime/process.js';
import type { ServerName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ClientTarget } from './client-target.js';

/** The process that holds a local name. Most clients have such a target, so it reads the slot of the name instead of looking it up. */
export class NamedTarget implements ClientTarget {
  constructor(
    readonly runtime: Runtime,
    readonly destination: ServerName,
    readonly definition: ServerDefinition,
    private readonly slot: NameSlot,
    readonly absenceHint: () => string,
  ) {}

  find(): GenServerProcess | undefined {
    const { holder } = this.slot;
    return holder === undefined ? undefined : (processOf(holder) as GenServerProcess | undefined);
  }
}

import type { SupervisorOptions } from '../../supervision/supervisor-options.js';
import { defineSupervisorOptions } from '../discovery/gen-server-metadata.accessor.js';

/**
 * Sets how the supervisor of a module's servers reacts when they end. Goes on a module class, above or below `@Module()`. Without it
 * the defaults hold: one_for_one, 3 restarts within 5 000 ms.
 *
 * @publicApi
 */
export function Supervisor(options: SupervisorOptions): ClassDecorator {
  return (target) => defineSupervisorOptions(target, options);
}

import type { InitArguments } from '../gen-server/definition/start-options.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import { NO_ARGUMENTS } from '../gen-server/definition/start-plan.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { checkRestartAndShutdown, checkSource, type Shutdown, WORKER_SHUTDOWN_MS } from './child-spec.js';
import { SupervisorConfigError } from './errors.js';
import type { RestartBudget } from './restart-intensity.js';
import type { Restart } from './restart-policy.js';
import { type BudgetOptions, completeBudget } from './supervisor-options.js';
import { print } from '../runtime/secrets/print.js';

/** A child that is started while the supervisor runs. It has no id: its pid, and its name if it has one, tell it apart (D1). */
export interface DynamicChildSpec {
  readonly source: ServerBlueprint;
  readonly options?: StartOptions | undefined;
  /** Default: `'permanent'`. */
  readonly restart?: Restart | undefined;
  /** Default: 5 000 ms, `Infinity` when the child is itself a supervisor. */
  readonly shutdownMs?: Shutdown | undefined;
}

/**
 * How a dynamic supervisor deals with its children. The strategy is one_for_one, always (D1).
 *
 * @publicApi
 */
export interface DynamicSupervisorOptions extends BudgetOptions {
  /**
   * The most children at a time, those included that are being restarted or stopped (D2). A whole number, 0 or more, or Infinity.
   * Default: Infinity.
   */
  readonly maxChildren?: number | undefined;
  /** Put in front of the arguments of every child's `init` (D2). Default: none. */
  readonly extraArguments?: readonly unknown[] | undefined;
}

export interface CompleteDynamicSupervisorOptions extends RestartBudget {
  readonly maxChildren: number;
  readonly extraArguments: readonly unknown[];
}

/** Fills in the defaults and refuses what makes no sense, what only other supervisors can do included (D8). */
export function completeDynamicSupervisorOptions(
  options: DynamicSupervisorOptions,
  supervisor: string,
): CompleteDynamicSupervisorOptions {
  const { maxChildren = Infinity, extraArguments = [] } = options;
  const of = `(dynamic supervisor ${supervisor})`;
  refuseWhatOthersDo(options, of);
  if (!(Number.isInteger(maxChildren) || maxChildren === Infinity) || maxChildren < 0) {
    throw new SupervisorConfigError(
      'invalid_max_children',
      `maxChildren must be a whole number of children, 0 or more, or Infinity, got: ${print(maxChildren)} ${of}`,
    );
  }
  if (!Array.isArray(extraArguments)) {
    throw new SupervisorConfigError(
      'invalid_extra_arguments',
      `extraArguments must be an array, got: ${print(extraArguments)} ${of}`,
    );
  }
  return { ...completeBudget(options, of), maxChildren, extraArguments: [...(extraArguments as unknown[])] };
}

/** Checks the spec of a child where it is asked for, before the supervisor is (D3). */
export function checkDynamicChild(spec: DynamicChildSpec, supervisor: string): void {
  const of = `(child of dynamic supervisor ${supervisor})`;
  // Specs may come from callers that no compiler has seen.
  const given = (spec ?? {}) as Partial<DynamicChildSpec> & { readonly significant?: unknown };
  const { source, restart = 'permanent', shutdownMs = WORKER_SHUTDOWN_MS, significant = false } = given;
  checkSource(source, of);
  checkRestartAndShutdown(restart, shutdownMs, of);
  if (significant !== false) {
    throw new SupervisorConfigError('bad_combination', `a dynamic supervisor has no significant children ${of}`);
  }
}

/** The arguments of a child's `init`: what all children get comes before its own. */
export function argumentsOf(args: InitArguments, extraArguments: readonly unknown[]): InitArguments {
  if (extraArguments.length === 0) return typeof args !== 'function' && args.length === 0 ? NO_ARGUMENTS : args;
  return typeof args === 'function' ? () => [...extraArguments, ...args()] : [...extraArguments, ...args];
}

function refuseWhatOthersDo(options: object, of: string): void {
  const { strategy, autoShutdown, restartBackoff } = options as Record<string, unknown>;
  if (strategy !== undefined && strategy !== 'one_for_one') {
    throw new SupervisorConfigError(
      'invalid_strategy',
      `a dynamic supervisor knows the strategy 'one_for_one' only, got: ${print(strategy)} ${of}`,
    );
  }
  if (autoShutdown !== undefined && autoShutdown !== 'never') {
    throw new SupervisorConfigError('invalid_auto_shutdown', `a dynamic supervisor has no significant children ${of}`);
  }
  if (restartBackoff !== undefined) {
    throw new SupervisorConfigError('invalid_backoff', `a dynamic supervisor restarts its children at once ${of}`);
  }
}

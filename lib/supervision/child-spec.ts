import { planOf, type StartPlan } from '../gen-server/definition/start-plan.js';
import { type Spawned, spawnPlanned } from '../gen-server/client/start.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import type { Pid } from '../runtime/pid.js';
import type { Process } from '../runtime/process.js';
import { formatName, type ServerClass } from '../runtime/server-name.js';
import { SupervisorConfigError } from './errors.js';
import type { Restart } from './restart-policy.js';
import type { AutoShutdown } from './supervisor-options.js';
import { print } from '../runtime/secrets/print.js';

/** What tells the children of one supervisor apart. Compared as a `Map` key. */
export type ChildId = string | symbol | ServerClass;

/** How long a child has to end when it is stopped: milliseconds, `Infinity`, or no time at all. */
export type Shutdown = number | 'brutal_kill';

/**
 * Starts a child under `parent`. The process and its name exist when this returns; `init` runs afterwards. `predecessor` is
 * the pid of the incarnation before.
 */
export type ChildStart = (parent: Process, predecessor: Pid | undefined) => Spawned;

/** How a supervisor starts, restarts and stops one child (S1). */
export interface ChildSpec {
  readonly id: ChildId;
  readonly start: ChildStart;
  /** Default: `'permanent'`. */
  readonly restart?: Restart | undefined;
  /** Default: 5 000 ms for a worker, `Infinity` for a supervisor. */
  readonly shutdownMs?: Shutdown | undefined;
  /** Default: `'worker'`. */
  readonly type?: 'worker' | 'supervisor' | undefined;
  /** Whether its end may end the supervisor (S20). Only for transient and temporary children. Default: false. */
  readonly significant?: boolean | undefined;
}

/** A spec with its defaults filled in. */
export type CompleteChildSpec = { readonly [K in keyof ChildSpec]-?: Exclude<ChildSpec[K], undefined> };

/** How long a worker has to end by default (S1). */
export const WORKER_SHUTDOWN_MS = 5_000;

/** The spec of a server, with whatever is to differ from the defaults (I13). The arguments are evaluated once (S23). */
export function childSpec(
  source: ServerBlueprint,
  options: StartOptions = {},
  overrides: Partial<Omit<ChildSpec, 'start'>> = {},
): ChildSpec {
  const { label, isSupervisor } = source.definition;
  // Made by the first start, which is where options that make no sense are refused, and kept for the restarts.
  let plan: StartPlan | undefined;
  return {
    id: label,
    start: (parent, predecessor) =>
      spawnPlanned(parent.runtime, (plan ??= planOf(source, options)), { parent, predecessor }),
    ...(isSupervisor === true && { type: 'supervisor' as const }),
    ...overrides,
  };
}

/** Fills in the defaults and refuses what makes no sense (S2). `supervisor` is for the message. */
export function completeChildSpec(
  spec: ChildSpec,
  supervisor: string,
  autoShutdown: AutoShutdown = 'never',
): CompleteChildSpec {
  // Specs also come in through startChild, from callers that no compiler has seen.
  const given = spec ?? {};
  const { id, start, restart = 'permanent', type = 'worker', significant = false } = given;
  const { shutdownMs = type === 'supervisor' ? Infinity : WORKER_SHUTDOWN_MS } = given;
  if (id === undefined || id === null) {
    throw new SupervisorConfigError('missing_id', `A child of supervisor ${supervisor} has no id: ${print(spec)}`);
  }
  const of = `(child ${formatName(id)} of supervisor ${supervisor})`;
  if (typeof start !== 'function') {
    throw new SupervisorConfigError(
      'missing_start',
      `start must be a function that starts the child, got: ${print(start)} ${of}`,
    );
  }
  checkRestartAndShutdown(restart, shutdownMs, of);
  if (type !== 'worker' && type !== 'supervisor') {
    throw new SupervisorConfigError(
      'invalid_child_type',
      `type must be 'worker' or 'supervisor', got: ${print(type)} ${of}`,
    );
  }
  if (typeof significant !== 'boolean') {
    throw new SupervisorConfigError(
      'bad_combination',
      `significant must be true or false, got: ${print(significant)} ${of}`,
    );
  }
  if (significant && restart === 'permanent') {
    throw new SupervisorConfigError(
      'bad_combination',
      `a significant child must be transient or temporary: a permanent one never ends for good ${of}`,
    );
  }
  if (significant && autoShutdown === 'never') {
    throw new SupervisorConfigError(
      'bad_combination',
      `a significant child needs a supervisor with autoShutdown 'any_significant' or 'all_significant' ${of}`,
    );
  }
  return { id, start, restart, shutdownMs, type, significant };
}

/** Refuses what no server can be started from. `of` names the caller, in messages. */
export function checkSource(source: unknown, of: string): void {
  if (typeof (source as ServerBlueprint | undefined)?.create === 'function') return;
  throw new SupervisorConfigError(
    'missing_start',
    `source must be what a server is started from, got: ${print(source)} ${of}`,
  );
}

/** Refuses a restart type or a shutdown that is none. `of` names the child in messages. */
export function checkRestartAndShutdown(restart: unknown, shutdownMs: unknown, of: string): void {
  if (restart !== 'permanent' && restart !== 'transient' && restart !== 'temporary') {
    throw new SupervisorConfigError(
      'invalid_restart_type',
      `restart must be 'permanent', 'transient' or 'temporary', got: ${print(restart)} ${of}`,
    );
  }
  if (shutdownMs !== 'brutal_kill' && !(typeof shutdownMs === 'number' && shutdownMs >= 0)) {
    throw new SupervisorConfigError(
      'invalid_shutdown',
      `shutdownMs must be milliseconds, 0 or more, Infinity or 'brutal_kill', got: ${print(shutdownMs)} ${of}`,
    );
  }
}

/** Completes several specs and refuses two with one id. */
export function completeChildSpecs(
  specs: readonly ChildSpec[],
  supervisor: string,
  autoShutdown: AutoShutdown = 'never',
): readonly CompleteChildSpec[] {
  const seen = new Set<ChildId>();
  return specs.map((spec) => {
    const complete = completeChildSpec(spec, supervisor, autoShutdown);
    if (seen.has(complete.id)) {
      throw new SupervisorConfigError(
        'duplicate_child_name',
        `Two children of supervisor ${supervisor} have the id ${formatName(complete.id)}; give one of them another.`,
      );
    }
    seen.add(complete.id);
    return complete;
  });
}

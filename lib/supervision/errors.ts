import { GenServerError } from '../runtime/errors.js';

/**
 * Supervisor options or a child spec that make no sense. Nothing was started.
 *
 * @publicApi
 */
export class SupervisorConfigError extends GenServerError {
  override name = 'SupervisorConfigError';
  readonly code = 'SUPERVISOR_CONFIG';

  constructor(
    /** OTP's name for the mistake. */
    readonly mistake:
      | 'invalid_strategy'
      | 'invalid_intensity'
      | 'invalid_period'
      | 'missing_id'
      | 'missing_start'
      | 'invalid_restart_type'
      | 'invalid_shutdown'
      | 'invalid_child_type'
      | 'duplicate_child_name'
      | 'bad_combination'
      | 'invalid_backoff'
      | 'invalid_max_children'
      | 'invalid_extra_arguments'
      | 'invalid_auto_shutdown'
      | 'invalid_partitions'
      | 'invalid_with_arguments',
    message: string,
  ) {
    super(message);
  }
}

/**
 * A request that does not fit the state of the child it names (S17, S18).
 *
 * @publicApi
 */
export class ChildStateError extends GenServerError {
  override name = 'ChildStateError';
  readonly code = 'CHILD_STATE';

  constructor(
    readonly supervisor: string,
    /** The child's id, as printed. */
    readonly childId: string,
    readonly problem: 'not_found' | 'already_present' | 'running' | 'restarting',
  ) {
    super(`Supervisor ${supervisor}: ${explain(childId, problem)}`);
  }
}

/**
 * A child did not start when it was asked to by `startChild` or `restartChild`.
 *
 * @publicApi
 */
export class ChildStartError extends GenServerError {
  override name = 'ChildStartError';
  readonly code = 'CHILD_START_FAILED';

  constructor(
    readonly supervisor: string,
    readonly childId: string,
    readonly reason: unknown,
    formattedReason: string,
  ) {
    super(`Supervisor ${supervisor}: child ${childId} did not start: ${formattedReason}`, { cause: reason });
  }
}

/**
 * A dynamic supervisor has as many children as it may have (D2). Nothing was started.
 *
 * @publicApi
 */
export class MaxChildrenError extends GenServerError {
  override name = 'MaxChildrenError';
  readonly code = 'MAX_CHILDREN';

  constructor(
    readonly supervisor: string,
    readonly maxChildren: number,
  ) {
    super(
      `${supervisor} has all the children it may have (maxChildren: ${maxChildren}). Stop some, or raise the limit.`,
    );
  }
}

function explain(childId: string, problem: ChildStateError['problem']): string {
  switch (problem) {
    case 'not_found':
      return `there is no child ${childId}.`;
    case 'already_present':
      return `child ${childId} is there but stopped; restart it with restartChild, or delete it first.`;
    case 'running':
      return `child ${childId} is running; terminate it first.`;
    case 'restarting':
      return `child ${childId} is being restarted; terminate it first.`;
  }
}

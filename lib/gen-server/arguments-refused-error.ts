import { GenServerError } from '../runtime/errors.js';
import { describeKey } from '../runtime/secrets/inspect-safely.js';

/**
 * One reason why the arguments of a request are invalid.
 *
 * @publicApi
 */
export interface ArgumentIssue {
  /** The index of the argument, counted from 0, and the path of the invalid value within it. */
  readonly path: readonly (string | number)[];
  /** The schema's message, with the given values removed. */
  readonly message: string;
}

/** How many issues the error message lists. */
const MAX_LISTED_ISSUES = 3;

/**
 * The arguments of a request do not match the `schema` of its handler. The handler did not run, the state is unchanged, and the server goes
 * on. Neither the message nor the issues contain the given values.
 *
 * @publicApi
 */
export class ArgumentsRefusedError extends GenServerError {
  override name = 'ArgumentsRefusedError';
  readonly code = 'ARGUMENTS_REFUSED';

  constructor(
    /** The label of the server. */
    readonly server: string,
    readonly handler: string | symbol,
    /** The first 100 issues at most. */
    readonly issues: readonly ArgumentIssue[],
    /** `cause` is the error that the schema threw, if it threw instead of reporting issues. */
    options?: ErrorOptions,
  ) {
    const more = issues.length > MAX_LISTED_ISSUES ? `; and ${issues.length - MAX_LISTED_ISSUES} more` : '';
    super(
      `${server}.${describeKey(handler)} did not take its arguments: ${issues.slice(0, MAX_LISTED_ISSUES).map(formatIssue).join('; ')}${more}`,
      options,
    );
  }
}

export function formatIssue({ path: [argument, ...rest], message }: ArgumentIssue): string {
  const where = rest.length === 0 ? '' : `, at ${rest.join('.')}`;
  return `argument ${Number(argument) + 1}${where}: ${message}`;
}

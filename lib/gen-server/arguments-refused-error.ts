import { GenServerError } from '../runtime/errors.js';

/**
 * One thing that is wrong with the arguments of a request.
 *
 * @publicApi
 */
export interface ArgumentIssue {
  /** Which argument, counted from 0, and where in it. */
  readonly path: readonly (string | number)[];
  /** In the words of the schema, with what was given taken out. */
  readonly message: string;
}

/** How many issues the message names. */
const MOST_NAMED = 3;

/**
 * The arguments of a request are not what the `schema` of its handler allows. The handler did not run, the state is as it was, and
 * the server goes on. Neither the message nor the issues repeat what was given.
 *
 * @publicApi
 */
export class ArgumentsRefusedError extends GenServerError {
  override name = 'ArgumentsRefusedError';
  readonly code = 'ARGUMENTS_REFUSED';

  constructor(
    readonly server: string,
    readonly handler: string | symbol,
    /** The first of them, at most 100. */
    readonly issues: readonly ArgumentIssue[],
    /** With `cause`, what the schema threw, where it did that instead of saying what is wrong. */
    options?: ErrorOptions,
  ) {
    const more = issues.length > MOST_NAMED ? `; and ${issues.length - MOST_NAMED} more` : '';
    super(
      `${server}.${String(handler)} did not take its arguments: ${issues.slice(0, MOST_NAMED).map(formatIssue).join('; ')}${more}`,
      options,
    );
  }
}

export function formatIssue({ path: [argument, ...rest], message }: ArgumentIssue): string {
  const where = rest.length === 0 ? '' : `, at ${rest.join('.')}`;
  return `argument ${Number(argument) + 1}${where}: ${message}`;
}

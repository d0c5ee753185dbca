import { GenServerError } from '../runtime/errors.js';

/** What can be wrong with how servers are declared. */
export type GenServerMistake =
  | 'not_a_class'
  | 'not_a_gen_server_base'
  | 'not_decorated'
  | 'lifecycle_hook'
  | 'reserved_name'
  | 'handled_twice'
  | 'kind_changed'
  | 'not_a_method'
  | 'request_scoped'
  | 'transient'
  | 'use_factory'
  | 'override_is_no_server'
  | 'two_modules'
  | 'name_taken'
  | 'not_provided'
  | 'two_roots'
  | 'started_on_demand'
  | 'not_started_on_demand'
  | 'invalid_option';

/**
 * A server, or a consumer of one, is declared in a way that cannot work. Thrown while the application starts.
 *
 * @publicApi
 */
export class GenServerConfigError extends GenServerError {
  override name = 'GenServerConfigError';
  readonly code = 'GEN_SERVER_CONFIG';

  constructor(
    readonly mistake: GenServerMistake,
    message: string,
  ) {
    super(message);
  }
}

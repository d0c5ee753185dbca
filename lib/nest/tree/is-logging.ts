import { Logger, type LoggerService } from '@nestjs/common';

/**
 * Whether what a logger is given goes anywhere: with `logger: false` it does not, unless it is kept for a logger to come. That it is
 * kept, Nest says in a field that is private; were it renamed, test/nest/logging.spec.ts would fail.
 */
export function isLogging(logger: Logger): boolean {
  const { isBufferAttached } = Logger as unknown as { readonly isBufferAttached?: boolean };
  return isBufferAttached === true || (logger.localInstance as LoggerService | undefined) !== undefined;
}

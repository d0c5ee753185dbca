import { Logger, type LoggerService } from '@nestjs/common';

/**
 * Whether a logger's messages go anywhere: with `logger: false` they do not, unless Nest buffers them for a later logger. Nest keeps
 * whether it buffers in a private field; if that were renamed, test/nest/logging.spec.ts would fail.
 */
export function isLogging(logger: Logger): boolean {
  const { isBufferAttached } = Logger as unknown as { readonly isBufferAttached?: boolean };
  return isBufferAttached === true || (logger.localInstance as LoggerService | undefined) !== undefined;
}

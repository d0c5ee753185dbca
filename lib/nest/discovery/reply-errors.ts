import { HttpException, type Type } from '@nestjs/common';
import { classNamesOf, isError, isInstanceOf } from '../../runtime/secrets/inspect-safely.js';

/** Error classes of optional packages, known by name. */
const OPTIONAL_REPLY_ERRORS: readonly string[] = ['RpcException', 'WsException'];

/** The errors of a call handler that are answers rather than crashes: those that Nest services throw as ordinary control flow. */
export function replyErrorTest(classes: readonly Type<Error>[] | undefined): (error: unknown) => boolean {
  if (classes !== undefined) return (error) => classes.some((type) => isInstanceOf(error, type));
  return (error) => isInstanceOf(error, HttpException) || isOptionalReplyError(error);
}

function isOptionalReplyError(error: unknown): boolean {
  return isError(error) && classNamesOf(error).some((name) => OPTIONAL_REPLY_ERRORS.includes(name));
}

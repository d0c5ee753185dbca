import { HttpException, type Type } from '@nestjs/common';
import { classNamesOf, isError, isInstanceOf } from '../../runtime/secrets/inspect-safely.js';

/** Classes of packages that need not be installed, known by name. */
const OPTIONAL_REPLY_ERRORS: readonly string[] = ['RpcException', 'WsException'];

/** Which errors of a call handler are answers rather than crashes: what Nest services throw as ordinary control flow. */
export function replyErrorTest(classes: readonly Type<Error>[] | undefined): (error: unknown) => boolean {
  if (classes !== undefined) return (error) => classes.some((type) => isInstanceOf(error, type));
  return (error) => isInstanceOf(error, HttpException) || isOptionalReplyError(error);
}

function isOptionalReplyError(error: unknown): boolean {
  return isError(error) && classNamesOf(error).some((name) => OPTIONAL_REPLY_ERRORS.includes(name));
}

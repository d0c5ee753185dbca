import { HttpException, type Type } from '@nestjs/common';

/** Classes of packages that need not be installed, known by name. */
const OPTIONAL_REPLY_ERRORS: readonly string[] = ['RpcException', 'WsException'];

/** Which errors of a call handler are answers rather than crashes: what Nest services throw as ordinary control flow. */
export function replyErrorTest(classes: readonly Type<Error>[] | undefined): (error: unknown) => boolean {
  if (classes !== undefined) return (error) => classes.some((type) => error instanceof type);
  return (error) => error instanceof HttpException || isOptionalReplyError(error);
}

function isOptionalReplyError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  for (let proto: unknown = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    if (OPTIONAL_REPLY_ERRORS.includes((proto as Error).constructor.name)) return true;
  }
  return false;
}

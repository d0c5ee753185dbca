import { HttpException, type Type } from '@nestjs/common';
import { walkPrototypes } from '../../runtime/prototype-chain.js';

/** Classes of packages that need not be installed, known by name. */
const OPTIONAL_REPLY_ERRORS: readonly string[] = ['RpcException', 'WsException'];

/** Which errors of a call handler are answers rather than crashes: what Nest services throw as ordinary control flow. */
export function replyErrorTest(classes: readonly Type<Error>[] | undefined): (error: unknown) => boolean {
  if (classes !== undefined) return (error) => classes.some((type) => error instanceof type);
  return (error) => error instanceof HttpException || isOptionalReplyError(error);
}

function isOptionalReplyError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOne = ({ constructor }: object): true | undefined =>
    OPTIONAL_REPLY_ERRORS.includes(constructor.name) || undefined;
  return walkPrototypes(Object.getPrototypeOf(error) as object, isOne) ?? false;
}

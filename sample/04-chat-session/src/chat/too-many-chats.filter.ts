import { type ArgumentsHost, Catch, ServiceUnavailableException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { MaxChildrenError } from 'nestjs-genserver';

/** One more conversation than we want to keep in memory is not a fault but a matter of trying again later. */
@Catch(MaxChildrenError)
export class TooManyChatsFilter extends BaseExceptionFilter {
  override catch(error: MaxChildrenError, host: ArgumentsHost): void {
    super.catch(new ServiceUnavailableException('Too many chats are open. Try again later.', { cause: error }), host);
  }
}

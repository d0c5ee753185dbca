import { HttpException, HttpStatus } from '@nestjs/common';

/** More turns wait for the model than a conversation puts up with. */
export class TooManyTurnsException extends HttpException {
  constructor(waiting: number) {
    const message = `${waiting} turns are waiting already. Wait for one of them, or abort it.`;
    super(
      { statusCode: HttpStatus.TOO_MANY_REQUESTS, error: 'Too Many Requests', message },
      HttpStatus.TOO_MANY_REQUESTS,
    );
  }
}

import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Takes the value out of a `{ "value": … }` body. Null is a value; none at all is a mistake of the client. */
@Injectable()
export class ValuePipe implements PipeTransform<unknown, unknown> {
  transform(body: unknown): unknown {
    if (typeof body === 'object' && body !== null && Object.hasOwn(body, 'value')) {
      return (body as { value: unknown }).value;
    }
    throw new BadRequestException('The body must be JSON with a value: { "value": … }');
  }
}

import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** What goes deeper could be taken in, but not be given out again: JSON.stringify would run out of stack. */
const DEEPEST = 64;

/** Takes the value out of a `{ "value": … }` body. Null is a value; none at all is a mistake of the client. */
@Injectable()
export class ValuePipe implements PipeTransform<unknown, unknown> {
  transform(body: unknown): unknown {
    if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'value')) {
      throw new BadRequestException('The body must be JSON with a value: { "value": … }');
    }
    const { value } = body as { value: unknown };
    if (isDeeperThan(DEEPEST, value)) {
      throw new BadRequestException(`The value must not be nested deeper than ${DEEPEST} levels.`);
    }
    return value;
  }
}

/** Level by level: a function that calls itself would run out of stack as well. */
function isDeeperThan(most: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === most) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    level = level.filter((item) => typeof item === 'object' && item !== null);
  }
  return false;
}

import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Takes the item out of an `{ "item": "tea" }` body. */
@Injectable()
export class ItemPipe implements PipeTransform<unknown, string> {
  transform(body: unknown): string {
    const item = (body as { item?: unknown } | null | undefined)?.item;
    if (typeof item !== 'string' || item === '') throw new BadRequestException('item must be a name');
    return item;
  }
}

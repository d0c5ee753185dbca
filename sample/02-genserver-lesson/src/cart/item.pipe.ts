import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import type { Item } from './item.js';

/** Checks an `{ "item": "tea", "price": 450 }` body. */
@Injectable()
export class ItemPipe implements PipeTransform<unknown, Item> {
  transform(body: unknown): Item {
    const { item, price } = (body ?? {}) as Partial<Record<keyof Item, unknown>>;
    if (typeof item !== 'string' || item === '') throw new BadRequestException('item must be a name');
    if (!Number.isSafeInteger(price) || (price as number) < 0) {
      throw new BadRequestException('price must be in whole cents, 0 or more');
    }
    return { item, price: price as number };
  }
}

import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import type { Item } from './item.js';

/** Checks an `{ "item": "tea", "quantity": 2 }` body; one piece when it does not say how many. */
@Injectable()
export class ItemPipe implements PipeTransform<unknown, Item> {
  transform(body: unknown): Item {
    const { item, quantity = 1 } = (body ?? {}) as Partial<Record<keyof Item, unknown>>;
    if (typeof item !== 'string' || item === '') throw new BadRequestException('item must be a name');
    if (!Number.isSafeInteger(quantity) || (quantity as number) < 1) {
      throw new BadRequestException('quantity must be a whole number, 1 or more');
    }
    return { item, quantity: quantity as number };
  }
}

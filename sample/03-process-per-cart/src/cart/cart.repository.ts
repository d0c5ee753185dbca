import { Injectable } from '@nestjs/common';
import type { Item } from './item.js';

/** Stands for a table of the database, with a row per owner. It knows nothing of processes and outlives them all. */
@Injectable()
export class CartRepository {
  private readonly rows = new Map<string, readonly Item[]>();

  async load(owner: string): Promise<readonly Item[]> {
    return this.rows.get(owner) ?? [];
  }

  async save(owner: string, items: readonly Item[]): Promise<void> {
    if (items.length === 0) this.rows.delete(owner);
    else this.rows.set(owner, items);
  }
}

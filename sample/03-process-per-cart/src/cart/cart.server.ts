import { ConflictException } from '@nestjs/common';
import { GenServer, GenServerBase, HandleCall, HandleCast, noReply, ok, reply, replyError } from 'nestjs-genserver';
import { CartRepository } from './cart.repository.js';
import type { Item } from './item.js';
import { PriceService } from './price.service.js';

interface CartState {
  readonly owner: string;
  readonly items: readonly Item[];
}

/**
 * The cart of one owner. There is no process until somebody asks for that cart, and none any more when nobody has for a while:
 * what is worth keeping is saved before it is answered for, and loaded by the next process of the same owner.
 */
@GenServer({ start: 'on_demand' })
export class Cart extends GenServerBase<CartState> {
  constructor(
    private readonly repository: CartRepository,
    private readonly prices: PriceService,
  ) {
    super();
  }

  override async init(owner: string) {
    return ok({ owner, items: await this.repository.load(owner) });
  }

  @HandleCall()
  async add({ item, quantity }: Item) {
    const { items } = this.state;
    const present = items.find((other) => other.item === item);
    const more = { item, quantity: quantity + (present?.quantity ?? 0) };
    const next = present === undefined ? [...items, more] : items.map((other) => (other === present ? more : other));
    return reply([...next], await this.saved(next));
  }

  @HandleCall()
  list() {
    return reply([...this.state.items]);
  }

  @HandleCall()
  async total() {
    return reply(await this.prices.quote(this.state.items, this.self.signal));
  }

  /**
   * Waits for somebody else in the middle. In a plain service two checkouts would both get here, and what is added meanwhile
   * would be thrown away unpaid; in a process they wait until this one is done.
   */
  @HandleCall()
  async checkout() {
    const { items } = this.state;
    if (items.length === 0) return replyError(new ConflictException('There is nothing in the cart'));
    const total = await this.prices.quote(items, this.self.signal);
    return reply({ items, total }, await this.saved([]));
  }

  @HandleCast()
  async clear() {
    return noReply(await this.saved([]));
  }

  /** The state with other items, once they are safe. */
  private async saved(items: readonly Item[]): Promise<CartState> {
    const { owner } = this.state;
    await this.repository.save(owner, items);
    return { owner, items };
  }
}

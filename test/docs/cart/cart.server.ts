import { NotFoundException } from '@nestjs/common';
import { GenServer, GenServerBase, HandleCall, HandleInfo } from 'nestjs-genserver';
import { noReply, ok, reply, replyError, Timeout } from 'nestjs-genserver';
import { PriceService } from './price.service.js';

interface CartState {
  readonly items: readonly string[];
  readonly cents: number;
}

const EMPTY: CartState = { items: [], cents: 0 };

/** A cart that nobody touches for so long is emptied. */
export const ABANDONED_MS = 30 * 60_000;

@GenServer()
export class Cart extends GenServerBase<CartState> {
  constructor(private readonly prices: PriceService) {
    super(); // takes nothing; the dependencies are yours
  }

  override init() {
    return ok(EMPTY);
  }

  @HandleCall()
  async add(item: string) {
    const cents = await this.prices.centsFor(item); // no other message is handled meanwhile
    if (cents === undefined) return replyError(new NotFoundException(`We do not sell ${item}.`));
    const next = { items: [...this.state.items, item], cents: this.state.cents + cents };
    return reply({ ...next }, next).timeout(ABANDONED_MS);
  }

  @HandleCall()
  contents() {
    return reply({ ...this.state }).timeout(ABANDONED_MS);
  }

  @HandleInfo(Timeout)
  protected onAbandoned() {
    return noReply(EMPTY);
  }
}

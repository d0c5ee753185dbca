import { Inject } from '@nestjs/common';
import {
  GenServer,
  GenServerBase,
  HandleCall,
  HandleCast,
  HandleInfo,
  noReply,
  ok,
  reply,
  TimerRef,
} from 'nestjs-genserver';
import { CART_IDLE_MINUTES } from './cart.constants.js';
import type { Item } from './item.js';

interface CartState {
  readonly items: readonly Item[];
  /** Goes up whenever the timer is set again, so that a tick of an earlier timer is known as one. */
  readonly round: number;
  readonly timer: TimerRef | null;
}

interface Idle {
  readonly type: 'idle';
  readonly round: number;
}

/** Keeps items in the order they came. Whoever leaves it alone for too long finds it empty. */
@GenServer()
export class ShoppingCart extends GenServerBase<CartState> {
  constructor(@Inject(CART_IDLE_MINUTES) private readonly idleMinutes: number) {
    super();
  }

  override init() {
    return ok({ items: [], round: 0, timer: null });
  }

  @HandleCall()
  addItem(item: string, price: number) {
    return reply('ok' as const, this.changed([...this.state.items, { item, price }]));
  }

  /** Removes the first match. Nothing to remove is fine, too. */
  @HandleCall()
  removeItem(item: string) {
    const at = this.state.items.findIndex((present) => present.item === item);
    return reply('ok' as const, this.changed(this.state.items.filter((_, index) => index !== at)));
  }

  @HandleCall()
  listItems() {
    return reply([...this.state.items]);
  }

  @HandleCall()
  total() {
    return reply(this.state.items.reduce((sum, { price }) => sum + price, 0));
  }

  @HandleCast()
  clear() {
    return noReply({ ...this.state, items: [] });
  }

  @HandleInfo('idle')
  protected onIdle({ round }: Idle) {
    // Cancelling a timer does not take back a tick that already lies in the mailbox, behind the very call that cancelled it.
    if (round !== this.state.round) return noReply();
    return noReply({ ...this.state, items: [], timer: null });
  }

  /** The state with other items and the idle time counted from now. */
  private changed(items: readonly Item[]): CartState {
    if (this.state.timer !== null) this.self.cancelTimer(this.state.timer);
    const round = this.state.round + 1;
    const timer = this.self.sendAfter(this.self.pid, { type: 'idle', round } satisfies Idle, this.idleMinutes * 60_000);
    return { items, round, timer };
  }
}

import { GenServer, GenServerBase, HandleCall, HandleInfo, noReply, ok, reply, replyError } from 'nestjs-genserver';
import { SoldOut } from './sold-out.js';
import { TicketRepository } from './ticket.repository.js';

/** How long a reserved ticket waits for its customer. */
export const RESERVED_MS = 10 * 60_000;
/** Where the office says that a ticket is on sale again. */
export const RETURNS = 'box-office:returns';

export class TicketReturned {
  constructor(readonly customer: string) {}
}

/** The same, as a server: between reading and writing the number nothing else runs in this process. */
@GenServer()
export class BoxOffice extends GenServerBase<ReadonlySet<string>> {
  constructor(private readonly tickets: TicketRepository) {
    super();
  }

  override init() {
    return ok<ReadonlySet<string>>(new Set());
  }

  @HandleCall()
  async sell() {
    const left = await this.tickets.left();
    if (left === 0) return replyError(new SoldOut());
    await this.tickets.setLeft(left - 1);
    return reply(left - 1);
  }

  /** Takes a ticket off sale until the customer comes for it, for ten minutes at most. */
  @HandleCall()
  async reserve(customer: string) {
    const left = await this.tickets.left();
    if (left === 0) return replyError(new SoldOut());
    await this.tickets.setLeft(left - 1);
    this.self.sendAfter(this.self.pid, { type: 'reservation over', customer }, RESERVED_MS);
    return reply(left - 1, new Set([...this.state, customer]));
  }

  @HandleCall()
  collect(customer: string) {
    const reserved = new Set(this.state);
    return reply(reserved.delete(customer), reserved);
  }

  @HandleInfo('reservation over')
  protected async onReservationOver({ customer }: { customer: string }) {
    const reserved = new Set(this.state);
    if (!reserved.delete(customer)) return noReply();
    await this.tickets.setLeft((await this.tickets.left()) + 1);
    this.self.broadcast(RETURNS, new TicketReturned(customer));
    return noReply(reserved);
  }
}

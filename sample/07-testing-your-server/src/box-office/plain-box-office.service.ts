import { Injectable } from '@nestjs/common';
import { SoldOut } from './sold-out.js';
import { TicketRepository } from './ticket.repository.js';

/** A singleton as it is usually written. There is a race in it. */
@Injectable()
export class PlainBoxOffice {
  constructor(private readonly tickets: TicketRepository) {}

  async sell(): Promise<number> {
    const left = await this.tickets.left();
    if (left === 0) throw new SoldOut();
    await this.tickets.setLeft(left - 1); // somebody else may have read the same number meanwhile
    return left - 1;
  }
}

import { Injectable } from '@nestjs/common';

/** Stands for a database: it answers later, and does one thing at a time. */
@Injectable()
export class TicketRepository {
  constructor(private tickets = 100) {}

  async left(): Promise<number> {
    return this.tickets;
  }

  async setLeft(tickets: number): Promise<void> {
    this.tickets = tickets;
  }
}

import type { Scenario, TestWorld } from 'nestjs-genserver/testing';
import { TicketRepository } from './box-office/ticket.repository.js';

interface Office {
  sell(): Promise<number>;
}

/** What must hold for every box office, in whatever order things happen: one ticket is sold once. */
export function oneTicket(open: (tickets: TicketRepository, world: TestWorld) => Office | Promise<Office>): Scenario {
  return async ({ world, pausing, run }) => {
    const office = await open(pausing(new TicketRepository(1)), world);
    const buy = (): Promise<boolean> =>
      office.sell().then(
        () => true,
        () => false,
      );
    const ada = (): Promise<boolean> => buy();
    const grace = (): Promise<boolean> => buy();
    const sold = (await run([ada, grace])).filter((hasTicket) => hasTicket).length;
    if (sold !== 1) throw new Error(`one ticket was sold ${sold} times`);
  };
}

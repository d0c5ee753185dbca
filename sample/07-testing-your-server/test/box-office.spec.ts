import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explore, ExploreError, startSupervised, TestProbe, TestWorld } from 'nestjs-genserver/testing';
import { BoxOffice, RESERVED_MS, RETURNS, TicketReturned } from '../src/box-office/box-office.server.js';
import { PlainBoxOffice } from '../src/box-office/plain-box-office.service.js';
import { SoldOut } from '../src/box-office/sold-out.js';
import { TicketRepository } from '../src/box-office/ticket.repository.js';
import { oneTicket } from '../src/one-ticket.js';

describe('one ticket, two customers', () => {
  it('is sold twice by the plain service', async () => {
    const plain = oneTicket((tickets) => new PlainBoxOffice(tickets));
    await expect(explore(100, plain)).rejects.toThrow(ExploreError);
  });

  it('is sold once by the server, in whatever order things happen', async () => {
    const server = oneTicket((tickets, world) => startSupervised(world, BoxOffice, { dependencies: [tickets] }));
    await explore(100, server);
  });
});

describe('BoxOffice', () => {
  let world: TestWorld;
  beforeEach(() => {
    world = new TestWorld();
  });
  afterEach(() => world.stop());

  const open = (tickets: number) =>
    startSupervised(world, BoxOffice, { dependencies: [new TicketRepository(tickets)] });

  it('refuses to sell what is not there', async () => {
    const office = await open(0);
    await expect(office.sell()).rejects.toThrow(SoldOut);
  });

  it('puts a reserved ticket on sale again after ten minutes', async () => {
    const office = await open(1);
    await office.reserve('ada');
    await expect(office.sell()).rejects.toThrow(SoldOut);
    await world.clock.advance(RESERVED_MS);
    expect(await office.sell()).toBe(0);
  });

  it('says so to everybody who listens, unless the ticket was collected', async () => {
    const office = await open(2);
    const probe = await TestProbe.start(world);
    probe.self.subscribe(RETURNS);
    await office.reserve('ada');
    await office.reserve('grace');
    await office.collect('ada');
    await probe.expectNoMessage({ withinMs: RESERVED_MS - 1 });
    expect(await probe.expectMessage(TicketReturned, { withinMs: 1 })).toEqual(new TicketReturned('grace'));
    await probe.expectNoMessage({ withinMs: RESERVED_MS });
  });

  it('forgets its reservations when it crashes, and goes on selling', async () => {
    const office = await open(2);
    const probe = await TestProbe.start(world);
    probe.monitor(office);
    await office.reserve('ada');
    world.exit(office, 'kill');
    await probe.expectDown(office, 'killed');
    expect(await office.collect('ada')).toBe(false);
    expect(await office.sell()).toBe(0);
  });
});

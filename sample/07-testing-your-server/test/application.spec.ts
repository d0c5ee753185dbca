import { Test } from '@nestjs/testing';
import { expect, it, onTestFinished } from 'vitest';
import { type GenServerClient, getGenServerToken } from 'nestjs-genserver';
import { closeWith, ManualClock, withManualClock } from 'nestjs-genserver/testing';
import { AppModule } from '../src/app.module.js';
import { BoxOffice, RESERVED_MS } from '../src/box-office/box-office.server.js';
import { TicketRepository } from '../src/box-office/ticket.repository.js';

it('has its time turned by hand, with everything else as in production', async () => {
  const clock = new ManualClock();
  const builder = Test.createTestingModule({ imports: [AppModule] });
  builder.overrideProvider(TicketRepository).useValue(new TicketRepository(1));
  const app = await withManualClock(builder, clock).compile();
  app.useLogger(false);
  onTestFinished(() => closeWith(clock, app));
  await app.init();

  const office = app.get<GenServerClient<BoxOffice>>(getGenServerToken(BoxOffice));
  await office.reserve('ada');
  await clock.advance(RESERVED_MS);
  expect(await office.sell()).toBe(0);
});

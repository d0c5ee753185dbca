import { Module } from '@nestjs/common';
import { GenServerModule } from 'nestjs-genserver';
import { BoxOffice } from './box-office/box-office.server.js';
import { PlainBoxOffice } from './box-office/plain-box-office.service.js';
import { TicketRepository } from './box-office/ticket.repository.js';

@Module({
  imports: [GenServerModule.forRoot()],
  providers: [{ provide: TicketRepository, useFactory: () => new TicketRepository() }, PlainBoxOffice, BoxOffice],
})
export class AppModule {}

import { explore, ExploreError, startSupervised } from 'nestjs-genserver/testing';
import { BoxOffice } from './box-office/box-office.server.js';
import { PlainBoxOffice } from './box-office/plain-box-office.service.js';
import { oneTicket } from './one-ticket.js';

const plain = oneTicket((tickets) => new PlainBoxOffice(tickets));
const server = oneTicket((tickets, world) => startSupervised(world, BoxOffice, { dependencies: [tickets] }));

console.log('PlainBoxOffice, a service');
try {
  await explore(100, plain);
} catch (error) {
  if (!(error instanceof ExploreError)) throw error;
  console.log(error.message);
}

console.log('\nBoxOffice, a server');
const { runs, orders } = await explore(100, server);
console.log(`${runs} runs in ${orders} different orders, and none failed`);

import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { INestApplication } from '@nestjs/common';

/**
 * Opens the port before the servers are up, so that a probe sees them come up: `app.listen()` would open it after. Nest makes the
 * routes before it calls the hook in which the tree is started. `started` settles as `app.init()` does.
 */
export async function listenEarly(
  app: INestApplication,
  port: string | number,
): Promise<{ readonly url: string; readonly started: Promise<unknown> }> {
  const server = app.getHttpServer() as Server;
  const started = app.init();
  started.catch(() => undefined); // it is for whoever awaits `started`
  server.listen(port);
  await once(server, 'listening');
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, started };
}

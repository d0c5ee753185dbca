import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { onTestFinished } from 'vitest';

/** A client of a route of server-sent events, on a connection of its own. */
export interface EventStream {
  readonly response: IncomingMessage;
  /** The next event as `{ type, data }`, or undefined when the response has ended. */
  next(): Promise<{ readonly type: string; readonly data: string } | undefined>;
  /** Everything up to the end. */
  rest(): Promise<readonly string[]>;
  /** Goes away without a word, as a browser does. */
  leave(): void;
}

/** Asks for a path of an application that listens, over a real connection, and resolves when the headers are there. */
export async function get(application: INestApplication, path: string): Promise<IncomingMessage> {
  const { port } = application.getHttpServer().address() as AddressInfo;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port, path, host: '127.0.0.1', agent: false }, resolve).on('error', reject).end();
  });
  onTestFinished(() => void response.destroy());
  // A client that leaves is told that its connection is gone.
  response.on('error', () => undefined);
  return response;
}

export async function openEvents(application: INestApplication, path: string): Promise<EventStream> {
  const response = await get(application, path);
  const events = eventsOf(response);
  return {
    response,
    next: async () => {
      const result = await events.next();
      return result.done === true ? undefined : result.value;
    },
    rest: async () => {
      const all: string[] = [];
      for await (const { type, data } of events) all.push(type === 'message' ? data : `${type}: ${data}`);
      return all;
    },
    leave: () => void response.destroy(),
  };
}

async function* eventsOf(response: IncomingMessage) {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined) yield { type: field('event') ?? 'message', data };
    }
  }
}

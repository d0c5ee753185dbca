import { Agent, type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';

export interface SseEvent {
  readonly id?: string;
  readonly type: string;
  readonly data: string;
  readonly retry?: string;
}

/** Who reads Server-Sent Events as a browser does, on a connection of their own. */
export interface SseReader {
  readonly status: number;
  readonly type: string | undefined;
  /** The next event; undefined when the stream has ended. */
  next(): Promise<SseEvent | undefined>;
  /** All events up to the end. */
  rest(): Promise<readonly SseEvent[]>;
  /** Goes away, as a browser does whose tab is closed. Resolves when the connection is gone on this side. */
  leave(): Promise<void>;
}

/** Opens a stream. What was refused has its status, and no events. */
export async function sse(url: string, path: string, headers: Record<string, string> = {}): Promise<SseReader> {
  const agent = new Agent({ keepAlive: false });
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    request(new URL(path, url), { agent, headers: { accept: 'text/event-stream', ...headers } }, resolve)
      .on('error', reject)
      .end();
  });
  // Nobody who is done reads on, and a server waits for its connections when it closes.
  onTestFinished(() => void incoming.destroy());
  const events = eventsOf(incoming);
  const next = async (): Promise<SseEvent | undefined> => (await events.next()).value;
  return {
    status: incoming.statusCode!,
    type: incoming.headers['content-type'],
    next,
    rest: async () => {
      const rest: SseEvent[] = [];
      for (let event = await next(); event !== undefined; event = await next()) rest.push(event);
      return rest;
    },
    leave: () =>
      new Promise((resolve) => {
        incoming.once('close', resolve);
        incoming.destroy();
        agent.destroy();
      }),
  };
}

async function* eventsOf(incoming: IncomingMessage): AsyncGenerator<SseEvent, undefined> {
  incoming.setEncoding('utf8');
  let text = '';
  for await (const chunk of incoming as AsyncIterable<string>) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) yield event;
    }
  }
  if (text.trim() !== '') throw new Error(`The stream ended in the middle of an event: ${text}`);
  return undefined;
}

/** By the rules of the HTML standard, as far as they matter here: a comment alone is no event, a space after the colon is none. */
function parse(block: string): SseEvent | undefined {
  const fields = new Map<string, string[]>();
  for (const line of block.split('\n').filter((each) => each !== '' && !each.startsWith(':'))) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/.exec(line)!;
    fields.set(name!, [...(fields.get(name!) ?? []), value ?? '']);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  const [id, type = 'message', retry] = ['id', 'event', 'retry'].map((name) => fields.get(name)?.at(-1));
  return {
    type,
    data: data.join('\n'),
    ...(id === undefined ? {} : { id }),
    ...(retry === undefined ? {} : { retry }),
  };
}

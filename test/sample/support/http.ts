import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, read as JSON. */
  readonly json: unknown;
}

export interface Http {
  (method: string, path: string, body?: unknown): Promise<Answer>;
  /** Sends a body as it is, with these headers. */
  raw(method: string, path: string, body: string | undefined, headers: Record<string, string>): Promise<Answer>;
}

/** A client on a few connections that are used again, so that thousands of requests take seconds. */
export function http(url: string): Http {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');

  const raw: Http['raw'] = (method, path, body, headers) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ agent, host, port, method, path, headers }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (text += chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { statusCode = 0, headers } = incoming;
          resolve({
            status: statusCode,
            type: headers['content-type'],
            headers,
            text,
            get json(): unknown {
              return JSON.parse(text);
            },
          });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    body === undefined
      ? raw(method, path, undefined, {})
      : raw(method, path, JSON.stringify(body), { 'content-type': 'application/json' });
  return Object.assign(send, { raw });
}

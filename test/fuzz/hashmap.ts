import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GenServerRuntime } from 'nestjs-genserver';
import { AppModule } from '../../sample/01-hashmap/src/app.module.js';
import { type Http, http } from '../sample/support/http.js';
import { droppedLines } from '../support/dropped-lines.mjs';
import type { Arbitrary } from './arbitrary.js';
import type { Findings } from './dispatch.js';

/** The first sample, served over real HTTP. */
export class HashmapTarget {
  private crashes = 0;
  private readonly surprises: string[] = [];

  private constructor(
    private readonly app: INestApplication,
    private readonly http: Http,
  ) {
    app.get(GenServerRuntime).events$.subscribe((event) => {
      if (event.type === 'gen_server.crashed' || event.type === 'supervisor.restarts_exceeded') this.crashes++;
    });
  }

  static async start(): Promise<HashmapTarget> {
    const app = await NestFactory.create(AppModule, { logger: droppedLines });
    await app.listen(0, '127.0.0.1');
    return new HashmapTarget(app, http(await app.getUrl()));
  }

  async request(of: Arbitrary): Promise<void> {
    const method = of.pick(['GET', 'GET', 'PUT', 'PUT', 'PATCH', 'DELETE', 'DELETE', 'POST', 'OPTIONS', 'HEAD']);
    const path = pathOf(of);
    // That route crashes the server on purpose.
    if (method === 'POST' && /crash/i.test(path)) return;
    const hasBody = method === 'PUT' || method === 'PATCH' || (method === 'POST' && of.chance(0.5));
    const body = hasBody ? bodyOf(of) : undefined;
    const headers: Record<string, string> = hasBody ? { 'content-type': of.pick(CONTENT_TYPES) } : {};
    try {
      const { status, text } = await this.http.raw(method, path, body, headers);
      if (status >= 500)
        this.surprise(`${method} ${path.slice(0, 80)} ${String(body).slice(0, 80)}: ${status} ${text.slice(0, 80)}`);
    } catch (error) {
      // Node may hang up on what is no HTTP. Whether it lives, the end tells.
      if (!/socket hang up|ECONNRESET|EPIPE/.test(String(error))) this.surprise(String(error));
    }
  }

  async end(): Promise<Findings> {
    const { status } = await this.http('GET', '/hashmap/app_name');
    if (status !== 200) this.surprise(`the server answers ${status}`);
    if (!this.app.get(GenServerRuntime).isReady) this.crashes++;
    await this.app.close();
    return { crashes: this.crashes, undecorated: 0, surprises: this.surprises };
  }

  private surprise(what: string): void {
    if (this.surprises.length < 10) this.surprises.push(what);
  }
}

const CONTENT_TYPES = [
  ...Array<string>(6).fill('application/json'),
  ...['application/json; charset=utf-7', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ';'],
];

function pathOf(of: Arbitrary): string {
  const key = of.pick([
    'a',
    'b',
    'c',
    '__proto__',
    'constructor',
    'toString',
    'crash',
    'tree',
    [...of.text().slice(0, 100)].slice(0, 8).join(''),
  ]);
  const encoded = of.chance(0.9)
    ? encodeURIComponent(key)
    : of.pick(['%', '%ff', '%00', '..%2f..', '%2e%2e/', '//', ';']);
  return of.pick([
    `/hashmap/${encoded}`,
    `/hashmap/${encoded}`,
    `/hashmap/${encoded}?default=${encoded}`,
    `/${encoded}`,
    '/telemetry',
    '/tree',
  ]);
}

function bodyOf(of: Arbitrary): string {
  const kind = of.upTo(9);
  if (kind < 5) return JSON.stringify({ value: of.json(3) });
  if (kind === 5) return JSON.stringify(of.json(3)) ?? '';
  if (kind === 6) return of.text();
  if (kind === 7) return `{"value":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
  if (kind === 8) return '{"value":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
  return of.chance(0.01) ? `{"value":"${'x'.repeat(200_000)}"}` : `{"value":${JSON.stringify(of.text())}`;
}

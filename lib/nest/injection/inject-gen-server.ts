import type { Type } from '@nestjs/common';
import { NameIndex } from '../../runtime/name-index.js';
import { formatName, type ServerName } from '../../runtime/server-name.js';
import { notAClass } from '../gen-server.messages.js';
import { type InjectionConsumer, type InjectionRequest, InjectionRequests } from './injection-requests.js';

/** A server class, or a function that gives it: for files that import each other. */
export type ServerReference = Type | (() => Type | undefined);

/** What a decorator says of the client that it wants. */
interface WantedClient {
  readonly reference: ServerReference;
  readonly name: ServerName | undefined;
}

/** A client that is to be injected, in whatever form it was asked for. */
export interface ClientRequest extends InjectionRequest {
  readonly server: Type;
  readonly name: ServerName | undefined;
  /** The tokens of the decorators that were given a function. */
  readonly aliases: readonly symbol[];
}

const requests = new InjectionRequests<WantedClient>(({ reference, name }) =>
  isFactory(reference) ? 'GenServerClient(() => …)' : `GenServerClient(${labelOf(reference, name)})`,
);

/** Per server class, one for each name. */
const wantedByClass = new WeakMap<object, NameIndex<WantedClient>>();

/**
 * The injection token of a client: what `@InjectGenServer(server, name)` injects, and what tests override with
 * `overrideProvider(getGenServerToken(Cart)).useValue(fake)`.
 *
 * @publicApi
 */
export function getGenServerToken(server: Type, name?: ServerName): symbol {
  const wanted = wantedOf(server, name);
  return requests.tokenOf(wanted, wanted);
}

/**
 * Injects a client of a server: by its class, with a name when there are several, as a function when the files import each
 * other. No module needs to import anything for it.
 *
 * @publicApi
 */
export function InjectGenServer(server: ServerReference, name?: ServerName): ParameterDecorator & PropertyDecorator {
  // What a function gives is known when all files are loaded, so until then it has a token of its own.
  const wanted = isFactory(server) ? { reference: server, name } : wantedOf(server, name);
  return requests.decorator(wanted, wanted);
}

/** Everything that was asked for so far, by class. */
export function clientRequests(): readonly ClientRequest[] {
  const byToken = new Map<symbol, ClientRequest & { consumers: InjectionConsumer[]; aliases: symbol[] }>();
  for (const { token, reference, name, consumers } of requests.all()) {
    const server = isFactory(reference) ? reference() : reference;
    // A function that still gives nothing belongs to files that were never loaded to the end: Nest names the consumer that lacks it.
    if (server === undefined) continue;
    const classToken = getGenServerToken(server, name);
    let request = byToken.get(classToken);
    if (request === undefined) {
      byToken.set(classToken, (request = { token: classToken, server, name, consumers: [], aliases: [] }));
    }
    for (const consumer of consumers) request.consumers.push(consumer);
    if (token !== classToken) request.aliases.push(token);
  }
  return [...byToken.values()];
}

/** The tokens of all clients that were asked for so far. One may come twice. */
export function clientTokens(): readonly symbol[] {
  return requests.all().flatMap(({ token, reference, name }) => {
    const server = isFactory(reference) ? reference() : undefined;
    return server === undefined ? [token] : [token, getGenServerToken(server, name)];
  });
}

/** A server and its name, for people. */
export function labelOf(server: Type, name: ServerName | undefined): string {
  return name === undefined ? server.name : `${server.name}, ${formatName(name)}`;
}

/** The same object for the same class and name. */
function wantedOf(server: Type, name: ServerName | undefined): WantedClient {
  if (typeof server !== 'function') throw notAClass(server);
  let known = wantedByClass.get(server);
  if (known === undefined) wantedByClass.set(server, (known = new NameIndex()));
  const present = known.get(name);
  if (present !== undefined) return present;
  const wanted = { reference: server, name };
  known.add(name, wanted);
  return wanted;
}

/** An arrow function has no prototype; a class has. */
function isFactory(reference: ServerReference): reference is () => Type | undefined {
  return typeof reference === 'function' && reference.prototype === undefined;
}

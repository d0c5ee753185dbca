import type { Type } from '@nestjs/common';
import { NameIndex } from '../../runtime/name-index.js';
import { formatName, type ServerName } from '../../runtime/server-name.js';
import { notAClass } from '../gen-server.messages.js';
import { type InjectionRequest, InjectionRequests } from './injection-requests.js';

/** A server class, or a function that returns it: for files that import each other. */
export type ServerReference = Type | (() => Type | undefined);

/** What a decorator says about the client that it requests. */
interface WantedClient<R extends ServerReference = Type> {
  readonly reference: R;
  readonly name: ServerName | undefined;
}

/** A client to be injected, however it was requested. */
export interface ClientRequest extends InjectionRequest {
  readonly server: Type;
  readonly name: ServerName | undefined;
  /** The tokens of the decorators that were given a function. */
  readonly aliases: readonly symbol[];
}

const requests = new InjectionRequests<WantedClient>(
  ({ reference, name }) => `GenServerClient(${labelOf(reference, name)})`,
);
const lazyRequests = new InjectionRequests<WantedClient<() => Type | undefined>>(() => 'GenServerClient(() => …)');

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
  // The class that a function returns is known once all files are loaded, so until then the request has a token of its own.
  if (isFactory(server)) {
    const wanted = { reference: server, name };
    return lazyRequests.decorator(wanted, wanted);
  }
  const wanted = wantedOf(server, name);
  return requests.decorator(wanted, wanted);
}

/** All requests so far, by class. */
export function clientRequests(): readonly ClientRequest[] {
  const lazy = new Map<symbol, Lazy[]>();
  for (const request of lazyRequests.all()) {
    const server = request.reference();
    // A function that still returns nothing belongs to files that never finished loading: Nest names the consumer that lacks it.
    if (server === undefined) continue;
    const token = getGenServerToken(server, request.name);
    const others = lazy.get(token);
    if (others === undefined) lazy.set(token, [request]);
    else others.push(request);
  }
  return requests.all().map((request) => joined(request, lazy.get(request.token) ?? []));
}

/** The requests for the client of one class and name. */
export function clientRequestFor(server: Type, name: ServerName | undefined): ClientRequest {
  const wanted = wantedOf(server, name);
  const request = requests.get(wanted, wanted);
  const isForIt = (lazy: Lazy): boolean => {
    const given = lazy.reference();
    return given === server && getGenServerToken(given, lazy.name) === request.token;
  };
  return joined(request, lazyRequests.all().filter(isForIt));
}

/** The tokens of all clients requested so far. A token may appear twice. */
export function clientTokens(): readonly symbol[] {
  const lazy = lazyRequests.all().flatMap(({ token, reference, name }) => {
    const server = reference();
    return server === undefined ? [token] : [token, getGenServerToken(server, name)];
  });
  return [...requests.all().map(({ token }) => token), ...lazy];
}

type Lazy = ReturnType<typeof lazyRequests.all>[number];

function joined(
  { token, reference, name, consumers }: WantedClient & InjectionRequest,
  lazy: readonly Lazy[],
): ClientRequest {
  return {
    token,
    server: reference,
    name,
    consumers: [...consumers, ...lazy.flatMap((request) => request.consumers)],
    aliases: lazy.map((request) => request.token),
  };
}

/** A server and its name, for messages. */
export function labelOf(server: Type, name: ServerName | undefined): string {
  return name === undefined ? server.name : `${server.name}, ${formatName(name)}`;
}

/** The same object for the same class and name: a key that lives as long as the class. */
export function wantedOf(server: Type, name: ServerName | undefined): WantedClient {
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

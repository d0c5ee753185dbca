import { Inject, type Type } from '@nestjs/common';
import { notAClass } from '../gen-server.messages.js';
import { formatName, isSameName, type ServerName } from '../../runtime/server-name.js';

/** A server class, or a function that gives it: for files that import each other. */
export type ServerReference = Type | (() => Type | undefined);

/** A place where a client is injected. */
export interface ClientConsumer {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a class, as decorators see it
  readonly target: Function;
  readonly where: string;
  /** Whether it can do without: `@Optional()`, which may be applied after our own decorator. */
  isOptional(): boolean;
}

/** Where Nest's `@Optional()` keeps what it was told. */
const OPTIONAL_PARAMETERS = 'optional:paramtypes';
const OPTIONAL_PROPERTIES = 'optional:properties_metadata';

/** A client that somebody asked for, by class or by a function that gives the class. */
interface DecoratedRequest {
  readonly token: symbol;
  readonly reference: ServerReference;
  readonly name: ServerName | undefined;
  readonly consumers: ClientConsumer[];
}

/** A client that is asked for, whoever asks and in whatever form. */
export interface ClientRequest {
  readonly token: symbol;
  readonly server: Type;
  readonly name: ServerName | undefined;
  readonly consumers: readonly ClientConsumer[];
  /** The tokens of those who asked by a function. */
  readonly aliases: readonly symbol[];
}

/**
 * What was asked for by decorators, which run before any application exists and know none. Only tokens are kept here, never
 * anything of an application, so that two of them in one Node process do not meet.
 */
const requests = new Map<symbol, DecoratedRequest>();
/** Per server class, a token for each name; names may be objects, so they are compared rather than looked up. */
const tokens = new WeakMap<object, { readonly name: ServerName | undefined; readonly token: symbol }[]>();

/**
 * The injection token of a client: what `@InjectGenServer(server, name)` injects, and what tests override with
 * `overrideProvider(getGenServerToken(Cart)).useValue(fake)`.
 *
 * @publicApi
 */
export function getGenServerToken(server: Type, name?: ServerName): symbol {
  if (typeof server !== 'function') throw notAClass(server);
  let known = tokens.get(server);
  if (known === undefined) tokens.set(server, (known = []));
  const present = known.find((entry) => isSameName(entry.name, name));
  if (present !== undefined) return present.token;
  const token = Symbol(`GenServerClient(${server.name}${name === undefined ? '' : `, ${formatName(name)}`})`);
  known.push({ name, token });
  // Whoever knows the token may inject it, also without a decorator: a factory does.
  requests.set(token, { token, reference: server, name, consumers: [] });
  return token;
}

/**
 * Injects a client of a server: by its class, with a name when there are several, as a function when the files import each
 * other. No module needs to import anything for it.
 *
 * @publicApi
 */
export function InjectGenServer(server: ServerReference, name?: ServerName): ParameterDecorator & PropertyDecorator {
  const isLazy = isFactory(server);
  const token = isLazy ? Symbol('GenServerClient(() => …)') : getGenServerToken(server, name);
  return (target: object, key: string | symbol | undefined, index?: number) => {
    requestFor(token, server, name).consumers.push(consumerAt(target, key, index));
    Inject(token)(target, key, index!);
  };
}

/** Everything that was asked for so far, by class. */
export function clientRequests(): readonly ClientRequest[] {
  const byToken = new Map<symbol, ClientRequest>();
  for (const { token, reference, name, consumers } of requests.values()) {
    const server = isFactory(reference) ? reference() : reference;
    // A function that still gives nothing belongs to files that were never loaded to the end: Nest names who misses it.
    if (server === undefined) continue;
    const classToken = getGenServerToken(server, name);
    const present = byToken.get(classToken);
    byToken.set(classToken, {
      token: classToken,
      server,
      name,
      consumers: [...(present?.consumers ?? []), ...consumers],
      aliases: [...(present?.aliases ?? []), ...(token === classToken ? [] : [token])],
    });
  }
  return [...byToken.values()];
}

/** The place that a decorator was put at. */
export function consumerAt(
  target: object,
  key: string | symbol | undefined,
  index: number | undefined,
): ClientConsumer {
  const type = (typeof target === 'function' ? target : target.constructor) as () => void;
  const [metadata, place] = index === undefined ? [OPTIONAL_PROPERTIES, key] : [OPTIONAL_PARAMETERS, index];
  return {
    target: type,
    where: index === undefined ? `property ${String(key)}` : `parameter ${index + 1} of the constructor`,
    isOptional: () => (Reflect.getMetadata(metadata, type) as unknown[] | undefined)?.includes(place) ?? false,
  };
}

function requestFor(token: symbol, reference: ServerReference, name: ServerName | undefined): DecoratedRequest {
  let request = requests.get(token);
  if (request === undefined) requests.set(token, (request = { token, reference, name, consumers: [] }));
  return request;
}

/** An arrow function has no prototype; a class has. */
function isFactory(reference: ServerReference): reference is () => Type | undefined {
  return typeof reference === 'function' && reference.prototype === undefined;
}

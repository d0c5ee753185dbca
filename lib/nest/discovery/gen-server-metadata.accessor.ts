import type { ArgumentSchemas } from '../../gen-server/schema/standard-schema.js';
import { walkPrototypes } from '../../runtime/prototype-chain.js';
import type { GenServerOptions } from '../gen-server.options.js';
import type { SupervisorOptions } from '../../supervision/supervisor-options.js';

// Registered symbols: two installed copies of the package understand each other's decorators.
const OPTIONS = Symbol.for('nestjs-genserver.options');
const HANDLERS = Symbol.for('nestjs-genserver.handlers');
const SUPERVISOR = Symbol.for('nestjs-genserver.supervisor');

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a message class of any form
export type MessageClass = abstract new (...args: any[]) => unknown;

/** What a decorator recorded about one method. */
export type HandlerMetadata =
  | {
      readonly kind: 'call';
      readonly timeoutMs: number | undefined;
      readonly schema: ArgumentSchemas | undefined;
    }
  | { readonly kind: 'cast'; readonly schema: ArgumentSchemas | undefined }
  | { readonly kind: 'info'; readonly tag: string | symbol | MessageClass | undefined }
  | { readonly kind: 'continue'; readonly tag: string | symbol };

/** A decorated method, with the prototype that declares it: two classes in one chain may share a name. */
export interface DecoratedMethod {
  readonly name: string | symbol;
  readonly metadata: HandlerMetadata;
  readonly declaredBy: object;
}

type Store = Map<string | symbol, HandlerMetadata[]>;

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a class, as decorators see it
type AnyClass = Function;

/** Remembers `options` for a server class. */
export function defineServerOptions(target: AnyClass, options: GenServerOptions): void {
  Object.defineProperty(target, OPTIONS, { value: options });
}

/** The options of a `@GenServer()` class; undefined for other classes. A subclass is a server only if it is decorated itself. */
export function findServerOptions(target: unknown): GenServerOptions | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, OPTIONS)) return undefined;
  return (target as unknown as { [OPTIONS]: GenServerOptions })[OPTIONS];
}

export function defineSupervisorOptions(target: AnyClass, options: SupervisorOptions): void {
  Object.defineProperty(target, SUPERVISOR, { value: options });
}

export function findSupervisorOptions(target: unknown): SupervisorOptions | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, SUPERVISOR)) return undefined;
  return (target as unknown as { [SUPERVISOR]: SupervisorOptions })[SUPERVISOR];
}

/** Remembers what a decorator recorded about a method, on the prototype that declares it. */
export function defineHandler(prototype: object, name: string | symbol, metadata: HandlerMetadata): void {
  if (!Object.hasOwn(prototype, HANDLERS)) Object.defineProperty(prototype, HANDLERS, { value: new Map() as Store });
  const store = (prototype as { [HANDLERS]: Store })[HANDLERS];
  const present = store.get(name);
  if (present === undefined) store.set(name, [metadata]);
  else present.unshift(metadata); // decorators run from the last to the first
}

/** All decorations of a class and those it inherits, the base class first. */
export function decoratedMethods(target: AnyClass): readonly DecoratedMethod[] {
  const found: DecoratedMethod[] = [];
  walkPrototypes(target.prototype as object, (prototype) => {
    if (!Object.hasOwn(prototype, HANDLERS)) return;
    const own: DecoratedMethod[] = [];
    for (const [name, all] of (prototype as { [HANDLERS]: Store })[HANDLERS]) {
      for (const metadata of all) own.push({ name, metadata, declaredBy: prototype });
    }
    found.unshift(...own);
  });
  return found;
}

import type { Type } from '@nestjs/common';
import { withSchemas } from '../../gen-server/schema/argument-validation.js';
import { GenServerBase } from '../../gen-server/gen-server-base.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
} from '../../gen-server/definition/server-definition.js';
import { walkPrototypes } from '../../runtime/prototype-chain.js';
import { formatName } from '../../runtime/server-name.js';
import type { GenServerOptions } from '../gen-server.options.js';
import { secretArgumentsOf } from './secret-arguments.js';
import * as messages from '../gen-server.messages.js';
import {
  type DecoratedMethod,
  decoratedMethods,
  findServerOptions,
  type HandlerMetadata,
} from './gen-server-metadata.accessor.js';
import { checkSchema, checkServerOptions, checkTimeoutMs } from './options.validator.js';

/** Nest would call these on the template, and on clients that had them. */
const LIFECYCLE_HOOKS: readonly string[] = [
  'onModuleInit',
  'onModuleDestroy',
  'onApplicationBootstrap',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
];
const THENABLE_NAMES: readonly string[] = ['then', 'catch', 'finally'];
const CALLBACK_NAMES: readonly string[] = [
  'init',
  'terminate',
  'codeChange',
  'formatStatus',
  'onConfigChange',
  'constructor',
];
/** Printing, comparing or serialising a client calls methods with these names, which would send a request. */
const PRINTING_NAMES: ReadonlySet<string | symbol> = new Set<string | symbol>([
  'toJSON',
  ...Reflect.ownKeys(Object.prototype),
  ...Object.values(Object.getOwnPropertyDescriptors(Symbol))
    .map(({ value }: { value?: unknown }) => value)
    .filter((value) => typeof value === 'symbol'),
  Symbol.for('nodejs.util.inspect.custom'),
]);
const BASE_NAMES: readonly string[] = ['state', 'self', 'from'];

/**
 * Turns a decorated class into the tables that the runtime dispatches through, and refuses classes that cannot work. A name
 * that is not in these tables can never be invoked.
 */
export function compileServer(
  type: Type,
  options: GenServerOptions,
  isReplyError: (error: unknown) => boolean,
): ServerDefinition {
  const label = type.name;
  if (findServerOptions(type) === undefined) throw messages.notDecorated(label);
  if (!(type.prototype instanceof GenServerBase)) throw messages.notAGenServerBase(label);
  refuseLifecycleHooks(type);
  // Applies without a decorator too: Nest awaits the template that it creates from the class.
  if ('then' in type.prototype) refuseReservedName(label, 'then');
  checkServerOptions(label, options);

  const calls = new Map<string | symbol, Handler>();
  const casts = new Map<string | symbol, Handler>();
  const continues = new Map<string | symbol, Handler>();
  const infos = new InfoHandlers();
  for (const { name, metadata } of effectiveHandlers(type)) {
    const method = findMethod(type, name);
    if (method === undefined) throw messages.notAMethod(label, String(name));
    refuseReservedName(label, name);
    const timeoutMs = metadata.kind === 'call' ? metadata.timeoutMs : undefined;
    if (timeoutMs !== undefined) checkTimeoutMs(`${label}.${String(name)}`, timeoutMs);
    const handler = new Handler(name, guarded(label, name, metadata, method), timeoutMs, secretArgumentsOf(type, name));
    if (metadata.kind === 'call') calls.set(name, handler);
    else if (metadata.kind === 'cast') casts.set(name, handler);
    else if (metadata.kind === 'info') {
      const present = infos.add(metadata.tag, handler);
      if (present !== undefined) {
        throw messages.handledTwice(label, describeTag(metadata.tag), String(present.name), String(name));
      }
    } else {
      const present = continues.get(metadata.tag);
      if (present !== undefined) {
        throw messages.handledTwice(label, `continue ${formatName(metadata.tag)}`, String(present.name), String(name));
      }
      continues.set(metadata.tag, handler);
    }
  }
  const configChange = findMethod(type, 'onConfigChange');
  return {
    label,
    calls,
    casts,
    infos,
    continues,
    isReplyError,
    ...(configChange === undefined ? {} : { configChange: new Handler('onConfigChange', configChange) }),
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.callTimeoutMs === undefined ? {} : { callTimeoutMs: options.callTimeoutMs }),
  };
}

/** The method, guarded by its schemas if it has any. */
function guarded(
  server: string,
  handler: string | symbol,
  metadata: HandlerMetadata,
  method: HandlerMethod,
): HandlerMethod {
  if (metadata.kind !== 'call' && metadata.kind !== 'cast') return method;
  const { kind, schema } = metadata;
  if (schema === undefined) return method;
  checkSchema(`${server}.${String(handler)}`, schema);
  return withSchemas({ server, handler, kind }, schema, method);
}

/** The method of that name, own or inherited. Reads the descriptor, since a getter must not run here. */
function findMethod(type: Type, name: string | symbol): HandlerMethod | undefined {
  const found = walkPrototypes(type.prototype as object, (prototype) =>
    Object.getOwnPropertyDescriptor(prototype, name),
  );
  const value: unknown = found?.value;
  return typeof value === 'function' ? (value as HandlerMethod) : undefined;
}

/** The decorations that apply to `type`: an override replaces what it inherits, but only by the same kind. */
function effectiveHandlers(type: Type): readonly DecoratedMethod[] {
  const byName = new Map<string | symbol, DecoratedMethod[]>();
  for (const method of decoratedMethods(type)) {
    const present = byName.get(method.name);
    if (present === undefined) {
      byName.set(method.name, [method]);
      continue;
    }
    const [first] = present;
    if (!mayGoTogether(first!.metadata, method.metadata, first!.declaredBy === method.declaredBy)) {
      throw messages.kindChanged(type.name, String(method.name), first!.metadata.kind, method.metadata.kind);
    }
    if (first!.declaredBy === method.declaredBy) present.push(method);
    else byName.set(method.name, [method]);
  }
  return [...byName.values()].flat();
}

/** One method may handle several messages or tags, but is either a call or a cast, and an override keeps its kind. */
function mayGoTogether(a: HandlerMetadata, b: HandlerMetadata, isSameClass: boolean): boolean {
  if (a.kind !== b.kind) return false;
  return !isSameClass || a.kind === 'info' || a.kind === 'continue';
}

function refuseLifecycleHooks(type: Type): void {
  for (const hook of LIFECYCLE_HOOKS) {
    if (hook in type.prototype) throw messages.lifecycleHook(type.name, hook);
  }
}

function refuseReservedName(server: string, name: string | symbol): void {
  if (typeof name === 'symbol') {
    refusePrintingName(server, name);
    return;
  }
  if (THENABLE_NAMES.includes(name)) {
    throw messages.reservedName(server, name, 'a client that has it would be taken for a promise');
  }
  if (CALLBACK_NAMES.includes(name)) throw messages.reservedName(server, name, 'it is a callback of every server');
  if (BASE_NAMES.includes(name)) throw messages.reservedName(server, name, 'GenServerBase has a member of that name');
  if (name === '__proto__') throw messages.reservedName(server, name, 'every object has a member of that name');
  if (name === 'with') throw messages.reservedName(server, name, 'every client has a method of that name');
  refusePrintingName(server, name);
}

function refusePrintingName(server: string, name: string | symbol): void {
  if (!PRINTING_NAMES.has(name)) return;
  throw messages.reservedName(server, String(name), 'printing or serialising a client would call it');
}

function describeTag(tag: unknown): string {
  return tag === undefined ? 'every other message' : `the message ${formatName(tag)}`;
}

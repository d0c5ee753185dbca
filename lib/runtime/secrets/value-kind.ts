import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { HIGHEST_CHAIN } from './inspect-safely.js';

/**
 * The kind of a value, as far as showing it is concerned:
 *
 * - `plain`: data without a class, or with none but `Object`.
 * - `instance`: of a class that keeps its data in fields. `printer` is the same, but the class defines how it is printed.
 * - `array`, `map`, `set`, `error`, `date`, `regexp`, `bytes`: the language's own data types.
 * - `printed`: of a class of this library that describes itself, and has nothing to hide.
 * - `function`.
 * - `proxy`: cannot be inspected without running foreign code.
 * - `closed`: anything else. The contents of such a value are in no field, so it is unknown whether they may be shown.
 */
export type ValueKind =
  | 'plain'
  | 'instance'
  | 'printer'
  | 'array'
  | 'map'
  | 'set'
  | 'error'
  | 'date'
  | 'regexp'
  | 'bytes'
  | 'printed'
  | 'function'
  | 'proxy'
  | 'closed';

type ClassKind = 'plain' | 'instance' | 'printer' | 'printed' | 'error' | 'proxy' | 'closed';

/** By prototype. The map is weak, so it keeps no class alive. */
const classKinds = new WeakMap<object, ClassKind>();
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Lets the instances of a class of this library be shown as they print themselves. */
export function markAsPrinted(prototype: object): void {
  classKinds.set(prototype, 'printed');
}

/** Inspects a value's class and its engine type without running the value's code. Never throws. */
export function kindOf(value: object): ValueKind {
  if (types.isProxy(value)) return 'proxy';
  const classKind = classKindOf(value);
  if (classKind === 'proxy') return 'proxy';
  if (typeof value === 'function') return 'function';
  if (Array.isArray(value)) return 'array';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isNativeError(value)) return 'error';
  if (types.isDate(value)) return 'date';
  if (types.isRegExp(value)) return 'regexp';
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return 'bytes';
  return isExotic(value) ? 'closed' : classKind;
}

/** Whether the engine keeps internal data in a value that `inspect` would reveal. */
function isExotic(value: object): boolean {
  return (
    types.isPromise(value) ||
    types.isMapIterator(value) ||
    types.isSetIterator(value) ||
    types.isGeneratorObject(value) ||
    types.isBoxedPrimitive(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isModuleNamespaceObject(value) ||
    types.isExternal(value)
  );
}

function classKindOf(value: object): ClassKind {
  const proto = Object.getPrototypeOf(value) as object | null;
  if (proto === Object.prototype || proto === null) return 'plain';
  let kind = classKinds.get(proto);
  if (kind === undefined) classKinds.set(proto, (kind = kindOfChain(proto)));
  return kind;
}

function kindOfChain(start: object): ClassKind {
  let isPrinter = false;
  let isClosed = false;
  let proto: object | null = start;
  for (let height = 0; height < HIGHEST_CHAIN; height++) {
    if (types.isProxy(proto)) return 'proxy';
    if (proto === Error.prototype) return 'error';
    const next = Object.getPrototypeOf(proto) as object | null;
    // All platform objects have a tag, and listeners and streams hold more than data.
    isClosed ||= Object.hasOwn(proto, Symbol.toStringTag) || proto === EventEmitter.prototype;
    isPrinter ||= Object.hasOwn(proto, INSPECT) || Object.hasOwn(proto, 'toJSON');
    if (next === null) {
      if (isClosed) return 'closed';
      // The root of another realm is another `Object.prototype`.
      if (height === 0 && Object.hasOwn(proto, 'hasOwnProperty')) return 'plain';
      return isPrinter ? 'printer' : 'instance';
    }
    proto = next;
  }
  return 'closed';
}

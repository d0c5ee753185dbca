import { types } from 'node:util';
import { classNameOf } from './inspect-safely.js';
import { sizeOfMap, sizeOfSet } from './intrinsics.js';
import { MANY_KEYS, visibleKeysOf } from './own-keys.js';
import { kindOf, markAsPrinted } from './value-kind.js';

const MOST_KEYS = 10;
const LONGEST_KEY = 40;

/**
 * What kind of value something is, without the value: `{ name: string, items: Array(3) }`. It prints and serialises as that text.
 */
export class Shape {
  private constructor(private readonly text: string) {}

  /** Never throws, and runs no code of the value's. */
  static of(value: unknown): Shape {
    try {
      if (typeof value === 'object' && value !== null && !types.isProxy(value) && value instanceof Shape) return value;
      return new Shape(describe(value, 1));
    } catch {
      return new Shape('(cannot be looked at)');
    }
  }

  /** The text that replaces a value that is not shown. */
  static saying(text: string): Shape {
    return new Shape(text);
  }

  /** The class alone, with its size if it has one. */
  static ofClass(value: object): Shape {
    try {
      return new Shape(describeClass(value));
    } catch {
      return new Shape('(cannot be looked at)');
    }
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.text;
  }
}

markAsPrinted(Shape.prototype);

function describe(value: unknown, depth: number): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const kind = kindOf(value);
  if (kind !== 'plain' && kind !== 'instance' && kind !== 'printer' && kind !== 'error') return describeClass(value);
  const name = classNameOf(value);
  const prefix = name === 'Object' ? '' : `${name} `;
  const keys = visibleKeysOf(value);
  if (keys === null) return `${name}(more than ${MANY_KEYS})`;
  if (keys.length === 0) return `${prefix}{}`;
  // This many keys are data themselves.
  if (keys.length > MOST_KEYS || depth === 0) return `${name}(${keys.length})`;
  const fields = keys.map((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    const kind = descriptor !== undefined && 'value' in descriptor ? describe(descriptor.value, depth - 1) : 'getter';
    return `${key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key}: ${kind}`;
  });
  return `${prefix}{ ${fields.join(', ')} }`;
}

function describeClass(value: object): string {
  switch (kindOf(value)) {
    case 'proxy':
      return 'Proxy';
    case 'function':
      return 'function';
    case 'array':
      return `Array(${(value as readonly unknown[]).length})`;
    case 'map':
      return `${classNameOf(value)}(${sizeOfMap.call(value)})`;
    case 'set':
      return `${classNameOf(value)}(${sizeOfSet.call(value)})`;
    default:
      return classNameOf(value);
  }
}

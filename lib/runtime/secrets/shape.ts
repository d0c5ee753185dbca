import { types } from 'node:util';

const MOST_KEYS = 10;
const LONGEST_KEY = 40;

/**
 * What kind of value something is, without the value: `{ name: string, items: Array(3) }`. It prints and serialises as that text.
 */
export class Shape {
  private constructor(private readonly text: string) {}

  static of(value: unknown): Shape {
    if (value instanceof Shape) return value;
    try {
      return new Shape(describe(value, 1));
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

function describe(value: unknown, depth: number): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (types.isProxy(value)) return 'Proxy';
  if (Array.isArray(value)) return `Array(${value.length})`;
  const name = classOf(value);
  if (value instanceof Map || value instanceof Set) return `${name}(${value.size})`;
  if (types.isDate(value) || types.isRegExp(value) || ArrayBuffer.isView(value)) return name;
  const keys = Object.keys(value);
  const prefix = name === 'Object' ? '' : `${name} `;
  if (keys.length === 0) return `${prefix}{}`;
  // So many keys are data themselves.
  if (keys.length > MOST_KEYS || depth === 0) return `${name}(${keys.length})`;
  const fields = keys.map((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    const kind = descriptor !== undefined && 'value' in descriptor ? describe(descriptor.value, depth - 1) : 'getter';
    return `${key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key}: ${kind}`;
  });
  return `${prefix}{ ${fields.join(', ')} }`;
}

function classOf(value: object): string {
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === null) return 'Object';
  const constructor: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'Object';
}

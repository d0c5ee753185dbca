import { types } from 'node:util';
import { HIGHEST_CHAIN } from './inspect-safely.js';

// A registered symbol: two installed copies of the package understand each other's decorators.
const SECRET_FIELDS = Symbol.for('nestjs-genserver.secret_fields');

type Marked = { readonly [SECRET_FIELDS]: Set<string | symbol> };

/** Remembers that a field of a class is secret. */
export function markSecretField(prototype: object, field: string | symbol): void {
  if (!Object.hasOwn(prototype, SECRET_FIELDS)) Object.defineProperty(prototype, SECRET_FIELDS, { value: new Set() });
  (prototype as Marked)[SECRET_FIELDS].add(field);
}

/** The fields that an object's class, and those it extends, mark as secret; undefined when there are none. */
export function secretFieldsOf(owner: object): ReadonlySet<string | symbol> | undefined {
  let found: Set<string | symbol> | undefined;
  let proto = Object.getPrototypeOf(owner) as object | null;
  for (let height = 0; proto !== null && height < HIGHEST_CHAIN; height++) {
    if (proto === Object.prototype || types.isProxy(proto)) break;
    if (Object.hasOwn(proto, SECRET_FIELDS)) {
      const own = (proto as Marked)[SECRET_FIELDS];
      found = found === undefined ? own : new Set([...found, ...own]);
    }
    proto = Object.getPrototypeOf(proto) as object | null;
  }
  return found;
}

import { walkPrototypes } from '../prototype-chain.js';

// A registered symbol: two installed copies of the package understand each other's decorators.
const SECRET_FIELDS = Symbol.for('nestjs-genserver.secret_fields');

type Marked = { readonly [SECRET_FIELDS]: Set<string | symbol> };

/** Remembers that a field of a class is secret. */
export function markSecretField(prototype: object, field: string | symbol): void {
  if (!Object.hasOwn(prototype, SECRET_FIELDS)) Object.defineProperty(prototype, SECRET_FIELDS, { value: new Set() });
  (prototype as Marked)[SECRET_FIELDS].add(field);
}

/** Whether the class of an object, or one that it extends, says that this field is secret. */
export function hasSecretField(owner: object, field: string | symbol): boolean {
  const isMarked = (prototype: object): true | undefined =>
    (Object.hasOwn(prototype, SECRET_FIELDS) && (prototype as Marked)[SECRET_FIELDS].has(field)) || undefined;
  return walkPrototypes(Object.getPrototypeOf(owner) as object | null, isMarked) ?? false;
}

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
  for (
    let proto = Object.getPrototypeOf(owner) as object | null;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    if (Object.hasOwn(proto, SECRET_FIELDS) && (proto as Marked)[SECRET_FIELDS].has(field)) return true;
  }
  return false;
}

/** What everybody shares and nobody may change. */
const SHARED: readonly object[] = [
  ...[
    Object,
    Function,
    Array,
    String,
    Number,
    Boolean,
    Symbol,
    BigInt,
    Map,
    Set,
    WeakMap,
    Promise,
    Error,
    RegExp,
    Date,
  ],
  ...[JSON, Reflect, Math, globalThis.process, Buffer],
].flatMap((shared) =>
  typeof shared === 'function' ? [shared, (shared as { prototype: object }).prototype] : [shared as object],
);

interface Picture {
  readonly of: object;
  readonly proto: object | null;
  readonly properties: ReadonlyMap<string | symbol, PropertyDescriptor>;
}

/** Remembers what shared objects look like, with `more` of them, and counts what has changed since it was asked last. */
export class PrototypeWatch {
  private pictures: readonly Picture[];

  constructor(private readonly more: readonly object[]) {
    this.pictures = this.take();
  }

  changes(): number {
    const now = this.take();
    const count = now.filter((picture, at) => !isSame(picture, this.pictures[at]!)).length;
    this.pictures = now;
    return count;
  }

  private take(): readonly Picture[] {
    return [...SHARED, ...this.more].map((of) => ({
      of,
      proto: Object.getPrototypeOf(of) as object | null,
      properties: new Map(Reflect.ownKeys(of).map((key) => [key, Object.getOwnPropertyDescriptor(of, key)!])),
    }));
  }
}

function isSame(a: Picture, b: Picture): boolean {
  if (a.proto !== b.proto || a.properties.size !== b.properties.size) return false;
  return [...a.properties].every(([key, { value, get, set }]) => {
    const other = b.properties.get(key);
    return other !== undefined && Object.is(value, other.value) && get === other.get && set === other.set;
  });
}

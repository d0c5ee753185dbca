import { types } from 'node:util';
import { isHandle } from './handle.js';

/**
 * A copy of a value that shares no memory with it, as `structuredClone` makes it, except for handles: a pid, a ref, the caller of a
 * request or a client is the same in the copy, wherever it lies. Throws what `structuredClone` throws for what cannot be copied.
 */
export function isolatedCopy<T>(value: T): T {
  if (!isObject(value)) return structuredClone(value);
  if (isOpenHandle(value)) return value;
  const containers = findContainersOfHandles(value);
  return containers.size === 0 ? structuredClone(value) : copyWithHandles(value, containers);
}

/** All objects that hold a handle, directly or through others. */
function findContainersOfHandles(root: object): Set<object> {
  const holders = new Map<object, object[]>([[root, []]]);
  const found = new Set<object>();
  const pending = [root];
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    const holder = container;
    forEachPart(holder, (part) => {
      if (!isObject(part) || types.isProxy(part)) return;
      if (isHandle(part)) {
        found.add(holder);
        return;
      }
      const known = holders.get(part);
      if (known !== undefined) known.push(holder);
      else {
        holders.set(part, [holder]);
        pending.push(part);
      }
    });
  }
  // A set that grows while it is gone through: whoever holds a container is one too.
  for (const container of found) for (const holder of holders.get(container)!) found.add(holder);
  return found;
}

/**
 * `structuredClone` knows no exceptions. So it gets a stand-in for each handle, in mirrors of the objects that hold one, and tells which
 * of its copies are those: everything else is copied in the same go, so what was shared inside the value is shared inside the copy.
 */
function copyWithHandles<T extends object>(value: T, containers: ReadonlySet<object>): T {
  const standIns = new Map<object, object>();
  const mirrors = new Map<object, object>();

  const reflect = (part: unknown): unknown => {
    if (!isObject(part)) return part;
    if (isOpenHandle(part)) {
      let standIn = standIns.get(part);
      if (standIn === undefined) standIns.set(part, (standIn = {}));
      return standIn;
    }
    if (!containers.has(part)) return part;
    const present = mirrors.get(part);
    if (present !== undefined) return present;
    const mirror = emptyLike(part);
    mirrors.set(part, mirror);
    fill(mirror, part, reflect);
    return mirror;
  };

  const copy = structuredClone({
    value: reflect(value),
    mirrors: [...mirrors.values()],
    standIns: [...standIns.values()],
  });
  const handles = new Map(copy.standIns.map((standIn, i) => [standIn, [...standIns.keys()][i]]));
  const restore = (part: unknown): unknown => (isObject(part) ? (handles.get(part) ?? part) : part);
  for (const mirror of copy.mirrors) fill(mirror, mirror, restore);
  return copy.value as T;
}

/** What `structuredClone` would make an object of this kind into, still without its parts. */
function emptyLike(original: object): object {
  if (Array.isArray(original)) return new Array<unknown>(original.length);
  if (types.isMap(original)) return new Map();
  if (types.isSet(original)) return new Set();
  if (!types.isNativeError(original)) return {};
  const error = new Error(original.message);
  for (const key of ['name', 'stack'] as const) define(error, key, original[key]);
  return error;
}

/** Gives `target` the parts of `source` as `change` makes them. Both may be one object; else `target` is empty. */
function fill(target: object, source: object, change: (part: unknown) => unknown): void {
  if (types.isMap(source)) {
    const entries = [...source].map(([key, part]) => [change(key), change(part)] as const);
    const map = target as Map<unknown, unknown>;
    map.clear();
    for (const [key, part] of entries) map.set(key, part);
  } else if (types.isSet(source)) {
    const items = [...source].map(change);
    const set = target as Set<unknown>;
    set.clear();
    for (const item of items) set.add(item);
  } else {
    const keys = types.isNativeError(source) ? ['cause'] : Object.keys(source);
    for (const key of keys) define(target, key, change((source as Record<string, unknown>)[key]));
  }
}

/** Whatever the name is: assigning to `__proto__` would not make a property. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Calls `visit` with everything in an object that `structuredClone` would copy too. */
function forEachPart(container: object, visit: (part: unknown) => void): void {
  if (Array.isArray(container)) {
    // By index: to have the keys of an array made costs more than to copy it.
    for (let i = 0; i < container.length; i++) visit(container[i]);
  } else if (types.isMap(container)) {
    container.forEach((value, key) => (visit(key), visit(value)));
  } else if (types.isSet(container)) {
    container.forEach((item) => visit(item));
  } else if (types.isNativeError(container)) {
    visit(container.cause);
  } else if (!ArrayBuffer.isView(container)) {
    for (const key of Object.keys(container)) visit((container as Record<string, unknown>)[key]);
  }
}

function isOpenHandle(value: object): boolean {
  return !types.isProxy(value) && isHandle(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

import { isGlobal, isVia, type ServerName } from './server-name.js';

/**
 * Values by the names of servers, `undefined` for those without one. `{ global }` and `{ via, key }` are compared by what is in them, any
 * other name as a key of a `Map`.
 */
export class NameIndex<T> {
  private readonly plain = new Map<ServerName | undefined, T>();
  private readonly global = new Map<unknown, T>();
  private readonly via = new Map<unknown, Map<unknown, T>>();

  get(name: ServerName | undefined): T | undefined {
    if (isGlobal(name)) return this.global.get(name.global);
    if (isVia(name)) return this.via.get(name.via)?.get(name.key);
    return this.plain.get(name);
  }

  /** Adds a value, unless there is one of that name. */
  add(name: ServerName | undefined, value: T): void {
    if (this.get(name) !== undefined) return;
    if (isGlobal(name)) this.global.set(name.global, value);
    else if (isVia(name)) {
      const byKey = this.via.get(name.via);
      if (byKey === undefined) this.via.set(name.via, new Map([[name.key, value]]));
      else byKey.set(name.key, value);
    } else this.plain.set(name, value);
  }
}

// A registered symbol: a handle of one installed copy of the package is a handle for another.
const HANDLE = Symbol.for('nestjs-genserver.handle');

/**
 * Marks what stands for something that runs: a pid, a client, a registry. A handle has an identity and no content, so whoever copies
 * values passes it on as it is. Give a prototype to mark all of its instances.
 */
export function markAsHandle(target: object): void {
  Object.defineProperty(target, HANDLE, { value: true });
}

/** Whether a value is a handle. `value` must not be a proxy, which may do anything when it is asked. */
export function isHandle(value: object): boolean {
  return HANDLE in value;
}

import { AlreadyStartedError } from '../runtime/errors.js';
import type { Runtime } from '../runtime/runtime.js';
import { UnknownRegistryError } from './errors.js';
import { Registry, type RegistryOptions } from './registry.js';

/**
 * The registries of one runtime, by name.
 *
 * @publicApi
 */
export class Registries {
  private readonly byName = new Map<string, Registry<never, never>>();

  constructor(private readonly runtime: Runtime) {}

  /**
   * Makes a registry. It lasts as long as the runtime.
   *
   * @throws {AlreadyStartedError} There is one of that name.
   * @throws {InvalidArgumentError} `keys` is neither `'unique'` nor `'duplicate'`.
   */
  create<K = unknown, V = unknown>(name: string, options: RegistryOptions): Registry<K, V> {
    const present = this.byName.get(name);
    if (present !== undefined) {
      throw new AlreadyStartedError(present.toString(), `a registry with ${present.keys} keys`);
    }
    const registry = new Registry<K, V>(this.runtime, name, options);
    this.byName.set(name, registry as unknown as Registry<never, never>);
    return registry;
  }

  /** The registry of that name, if there is one. */
  find<K = unknown, V = unknown>(name: string): Registry<K, V> | undefined {
    return this.byName.get(name) as unknown as Registry<K, V> | undefined;
  }

  /** The registry of that name. Throws {@link UnknownRegistryError} when there is none (N10). */
  get<K = unknown, V = unknown>(name: string): Registry<K, V> {
    const registry = this.find<K, V>(name);
    if (registry === undefined) throw new UnknownRegistryError(name, this.byName.keys());
    return registry;
  }
}

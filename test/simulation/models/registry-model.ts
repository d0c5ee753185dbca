export interface EntryModel<K, O> {
  readonly key: K;
  readonly owner: O;
  value: number;
}

/** A registry in words of its own: a list of entries, oldest first. */
export class RegistryModel<K, O> {
  entries: EntryModel<K, O>[] = [];

  constructor(private readonly isUnique: boolean) {}

  /** Whether there was room for it. */
  register(owner: O, key: K, value: number): boolean {
    if (this.isUnique && this.of(key).length > 0) return false;
    this.entries.push({ key, owner, value });
    return true;
  }

  unregister(owner: O, key: K): void {
    this.entries = this.entries.filter((entry) => entry.owner !== owner || entry.key !== key);
  }

  /** Answers the value before; undefined when the key is not the owner's. */
  update(owner: O, key: K, value: number): number | undefined {
    const entry = this.of(key).find((other) => other.owner === owner);
    if (entry === undefined) return undefined;
    const before = entry.value;
    entry.value = value;
    return before;
  }

  of(key: K): EntryModel<K, O>[] {
    return this.entries.filter((entry) => entry.key === key);
  }

  keysOf(owner: O): K[] {
    return this.entries.filter((entry) => entry.owner === owner).map(({ key }) => key);
  }

  ended(owner: O): void {
    this.entries = this.entries.filter((entry) => entry.owner !== owner);
  }
}

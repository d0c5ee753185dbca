import { Injectable } from '@nestjs/common';
import { GenServerRuntime, Pid, type ViaRegistry } from 'nestjs-genserver';

/**
 * A registry of our own, for names like `{ via: directory, key: 'user:42' }`. The library asks it to register a process
 * before its `init`, to forget it when it has ended, and otherwise where it is.
 */
@Injectable()
export class UserDirectory implements ViaRegistry {
  private readonly holders = new Map<unknown, Pid>();

  constructor(private readonly runtime: GenServerRuntime) {}

  registerName(key: unknown, pid: Pid): boolean {
    if (this.holders.has(key)) return false;
    this.holders.set(key, pid);
    return true;
  }

  unregisterName(key: unknown): void {
    this.holders.delete(key);
  }

  whereisName(key: unknown): Pid | undefined {
    return this.holders.get(key);
  }

  send(key: unknown, message: unknown): void {
    const pid = this.holders.get(key);
    if (pid === undefined) throw new Error(`Nobody is registered as ${String(key)}.`);
    this.runtime.send(pid, message);
  }
}

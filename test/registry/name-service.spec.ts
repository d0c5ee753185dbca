import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../lib/gen-server/key-table.js';
import { NameTable } from '../../lib/registry/name-table.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { NameService, ViaRegistry } from '../../lib/runtime/ports.js';
import { nameServiceContract, type TestWorld } from '../../lib/testing/index.js';

/** A registry of a user's own, as short as it can be. */
class Directory implements ViaRegistry {
  readonly pids = new Map<unknown, Pid>();

  constructor(private readonly world: TestWorld) {}

  registerName(key: unknown, pid: Pid): boolean {
    if (this.pids.has(key)) return false;
    this.pids.set(key, pid);
    return true;
  }

  unregisterName(key: unknown): void {
    this.pids.delete(key);
  }

  whereisName(key: unknown): Pid | undefined {
    return this.pids.get(key);
  }

  send(key: unknown, message: unknown): void {
    const pid = this.pids.get(key);
    if (pid === undefined) throw new Error(`nobody holds ${String(key)}`);
    this.world.send(pid, message);
  }
}

const functions = { describe, it, expect };
nameServiceContract(functions, {
  name: 'Registry',
  makeRegistry: ({ registries }) => registries.create('names', { keys: 'unique' }),
});
nameServiceContract(functions, { name: 'KeyTable', makeRegistry: () => new KeyTable() });
nameServiceContract(functions, { name: 'NameTable', makeNameService: () => new NameTable() });
nameServiceContract(functions, { name: 'Directory', makeRegistry: (world) => new Directory(world) });
nameServiceContract(functions, {
  name: 'Directory of a few strings',
  keys: ['a', 'b'],
  makeRegistry: (world) => new Directory(world),
});

describe('the contract suite of name services', () => {
  /** Runs the suite with a test runner of a few lines, and gives the rules that were broken. */
  const rulesBrokenBy = async (making: Pick<Parameters<typeof nameServiceContract>[1], never> & object) => {
    const broken: string[] = [];
    const running: Promise<void>[] = [];
    const run = (rule: string, test: () => Promise<void>): void => {
      running.push(test().catch(() => void broken.push(rule)));
    };
    nameServiceContract(
      { describe: (_, suite) => suite(), it: Object.assign(run, { skip: () => undefined }), expect },
      { name: 'broken', ...making } as Parameters<typeof nameServiceContract>[1],
    );
    await Promise.all(running);
    return broken;
  };
  const viaBrokenBy = (breakIt: (directory: Directory) => Partial<ViaRegistry>) =>
    rulesBrokenBy({
      makeRegistry: (world: TestWorld) => {
        const directory = new Directory(world);
        return Object.assign(Object.create(directory) as Directory, breakIt(directory));
      },
    });
  const serviceBrokenBy = (breakIt: (table: NameTable) => Partial<NameService>) =>
    rulesBrokenBy({
      makeNameService: () => {
        const table = new NameTable();
        return Object.assign(Object.create(table) as NameTable, breakIt(table));
      },
    });

  it('has nothing to say against services that do their duty', async () => {
    expect(await viaBrokenBy(() => ({}))).toEqual([]);
    expect(await serviceBrokenBy(() => ({}))).toEqual([]);
  });

  it.each<[string, (directory: Directory) => Partial<ViaRegistry>, string]>([
    [
      'lets a second one in',
      (it) => ({ registerName: (key, pid) => (it.pids.set(key, pid), true) }),
      'has one holder per name',
    ],
    ['never gives back', () => ({ unregisterName: () => undefined }), 'has the name free when its holder is killed'],
    [
      'gives back too much',
      (it) => ({ unregisterName: () => it.pids.clear() }),
      'has the name free when its holder stops',
    ],
    [
      'gives back too late',
      (it) => ({ unregisterName: (key) => setImmediate(() => it.unregisterName(key)) }),
      'has the name free when its holder crashes',
    ],
    [
      'takes all keys for strings',
      (it) => ({
        registerName: (key, pid) => it.registerName(String(key), pid),
        whereisName: (key) => it.whereisName(String(key)),
        unregisterName: (key) => it.unregisterName(String(key)),
      }),
      'tells names apart',
    ],
    [
      'says nothing when nobody is there',
      () => ({ send: () => undefined }),
      'throws at the sender when a name has no holder',
    ],
    [
      'registers later',
      (it) => ({
        registerName: (key, pid) => {
          if (it.pids.has(key)) return false;
          queueMicrotask(() => it.registerName(key, pid));
          return true;
        },
      }),
      'takes the name before init runs',
    ],
  ])('catches a registry that %s', async (_, breakIt, rule) => {
    expect(await viaBrokenBy(breakIt)).toContainEqual(expect.stringContaining(rule));
  });

  it.each<[string, (table: NameTable) => Partial<NameService>, string]>([
    [
      'does not say who holds a name',
      (it) => ({ register: (name, pid) => (it.register(name, pid), undefined) }),
      'has one holder per name',
    ],
    ['never gives back', () => ({ unregister: () => undefined }), 'has the name free when a start has failed'],
    ['finds nobody', () => ({ whereis: () => undefined }), 'leads calls and messages to the holder'],
  ])('catches a name service that %s', async (_, breakIt, rule) => {
    expect(await serviceBrokenBy(breakIt)).toContainEqual(expect.stringContaining(rule));
  });
});

import { markAsHandle } from '../runtime/isolation/handle.js';
import { inspect } from 'node:util';
import { stop } from '../gen-server/client/client.js';
import { NoProcessError } from '../gen-server/errors.js';
import { KeyTable } from '../gen-server/key-table.js';
import type { ServerBlueprint } from '../gen-server/definition/server-definition.js';
import { start } from '../gen-server/client/start.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { SENT_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { Pid } from '../runtime/pid.js';
import { processOf } from '../runtime/process.js';
import type { ViaRegistry } from '../runtime/ports.js';
import { print } from '../runtime/secrets/print.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ChildCounts, ChildInfo } from './child.js';
import { checkSource, childSpec, type ChildSpec } from './child-spec.js';
import { ChildStateError, SupervisorConfigError } from './errors.js';
import { blueprintOfSupervisor, spawnSupervisor, Supervisor } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';

/** A supervisor of several like processes, each responsible for some of the keys (PS1). */
export interface PartitionSupervisorSpec extends Omit<SupervisorOptions, 'autoShutdown'> {
  /** The name for people. */
  readonly label: string;
  /** What the supervisor is to be found by. The partitions are found by key. Default: none. */
  readonly name?: ServerName | undefined;
  readonly source: ServerBlueprint;
  /** How each partition is started; its name is not asked for. */
  readonly options?: Omit<StartOptions, 'name'> | undefined;
  readonly restart?: ChildSpec['restart'];
  readonly shutdownMs?: ChildSpec['shutdownMs'];
  /** How many processes, 1 or more. Default: 1, since a Node process has one thread to run them on. */
  readonly partitions?: number | undefined;
  /** The arguments of `init` for one partition. Default: the same for all. */
  readonly withArguments?: ((args: readonly unknown[], partition: number) => readonly unknown[]) | undefined;
}

/**
 * The partition of a key among `count`: an integer by its absolute value, so that -1 and 1 meet, anything else by a hash (PS2). A
 * string gets the same partition in every Node process; other values go by how they are printed, whatever order their
 * properties were set in.
 */
export function partitionOf(key: unknown, count: number): number {
  if (!Number.isInteger(count) || count < 1) {
    throw new InvalidArgumentError(`The number of partitions must be whole, 1 or more, got: ${print(count)}`);
  }
  if (typeof key === 'bigint') return Number((key < 0n ? -key : key) % BigInt(count));
  if (typeof key === 'number' && Number.isInteger(key)) return Math.abs(key) % count;
  return hash(typeof key === 'string' ? key : printKey(key)) % count;
}

/** Starts the partitions under a supervisor of their own, linked to no process, and gives the router to them. */
export async function startPartitionSupervisor(
  runtime: Runtime,
  spec: PartitionSupervisorSpec,
): Promise<PartitionSupervisor> {
  const partitions = new PartitionSupervisor(runtime, spec);
  await partitions.start();
  return partitions;
}

/**
 * Finds the process for a key: as `{ via: partitions, key }` in any call, cast or send. It routes only: nothing can be
 * registered under it (PS3). Made with `new`, it is a child of another supervisor by its {@link childSpec}.
 */
export class PartitionSupervisor implements ViaRegistry {
  private readonly label: string;
  private readonly name: ServerName | undefined;
  private readonly source: ServerBlueprint;
  private readonly specs: readonly ChildSpec[];
  /** Which process runs which partition now. */
  private readonly holders = new KeyTable();
  /** The last incarnation of the supervisor. */
  private pid: Pid | undefined;
  private active: number;
  /** Resizing takes several requests, so one waits for the other. */
  private lastResize: Promise<unknown> = Promise.resolve();

  /** Refuses a spec that makes no sense (PS1). Nothing runs yet. */
  constructor(
    private readonly runtime: Runtime,
    spec: PartitionSupervisorSpec,
  ) {
    const { label, name, strategy, maxRestarts, withinMs, restartBackoff, partitions = 1 } = spec;
    checkSpec(spec, partitions);
    this.label = label;
    this.name = name;
    this.specs = Array.from({ length: partitions }, (_, partition) => this.specOf(spec, partition));
    this.active = partitions;
    const children = this.specs;
    this.source = blueprintOfSupervisor({ label, strategy, maxRestarts, withinMs, restartBackoff, children });
  }

  /** How many partitions there are now. */
  get partitions(): number {
    return this.active;
  }

  /** @internal */
  async start(): Promise<void> {
    this.pid = await start(this.runtime, this.source, { name: this.name });
  }

  /**
   * The partitions as a child of another supervisor. A new incarnation has all the partitions again, resized or not (S16).
   */
  childSpec(overrides: Partial<Omit<ChildSpec, 'start'>> = {}): ChildSpec {
    return {
      id: this.label,
      type: 'supervisor',
      start: (parent, predecessor) => {
        const spawned = spawnSupervisor(parent.runtime, this.source, this.name, { parent, predecessor });
        this.pid = spawned.process.pid;
        this.active = this.specs.length;
        return spawned;
      },
      ...overrides,
    };
  }

  /** The process for a key; undefined while it is being restarted. Throws `NoProcessError` when there are no partitions. */
  whereisName(key: unknown): Pid | undefined {
    if (this.active === 0) throw new NoProcessError(this.label, 'It has 0 partitions; give it some with resize.');
    return this.holders.whereisName(partitionOf(key, this.active));
  }

  send(key: unknown, message: unknown): void {
    const pid = this.whereisName(key);
    const process = pid === undefined ? undefined : processOf(pid);
    if (process === undefined) throw new NoProcessError(`the partition of ${this.label} for ${print(key)}`);
    process.deliver(SENT_ENVELOPE, message);
  }

  registerName(): boolean {
    throw new InvalidArgumentError(
      `Partition supervisor ${this.label} routes to its partitions; nothing can be registered under it.`,
    );
  }

  unregisterName(): void {
    // Nothing was registered.
  }

  /** The partitions, those included that are not running. Their ids are `'0'`, `'1'` and so on. */
  async whichChildren(): Promise<readonly ChildInfo[]> {
    return Supervisor.whichChildren(this.runtime, this.supervisor());
  }

  async countChildren(): Promise<ChildCounts> {
    return Supervisor.countChildren(this.runtime, this.supervisor());
  }

  /**
   * Changes the number of partitions to `count`, between 0 and the number it was started with, and gives the number before.
   * Fewer: keys go to those that are left at once, and the topmost are stopped. More: they are started again, with the arguments
   * they had, and keys go to them when all of them are up; if one does not start, the number stays as it was (PS3).
   */
  async resize(count: number): Promise<number> {
    if (!Number.isInteger(count) || count < 0 || count > this.specs.length) {
      throw new InvalidArgumentError(
        `Partition supervisor ${this.label} can have 0 to ${this.specs.length} partitions, got: ${print(count)}`,
      );
    }
    const resized = this.lastResize.then(() => this.resizeNow(count));
    this.lastResize = resized.catch(() => undefined); // the caller of that resize is told
    return resized;
  }

  /** Stops the partitions and the supervisor. */
  async stop(): Promise<void> {
    await stop(this.runtime, this.supervisor(), 'shutdown');
  }

  private async resizeNow(count: number): Promise<number> {
    const supervisor = this.supervisor();
    const before = this.active;
    if (count < before) {
      this.active = count;
      await this.terminate(supervisor, count, before);
      return before;
    }
    for (let at = before; at < count; at++) {
      try {
        await this.startAgain(supervisor, at);
      } catch (error) {
        await this.terminate(supervisor, before, at);
        throw error;
      }
    }
    // Another incarnation of the supervisor has all of them anyway.
    if (this.pid === supervisor) this.active = count;
    return before;
  }

  /** Stops the partitions from `first` to before `end`, the topmost first. */
  private async terminate(supervisor: Pid, first: number, end: number): Promise<void> {
    for (let at = end - 1; at >= first; at--) {
      try {
        await Supervisor.terminateChild(this.runtime, supervisor, `${at}`);
      } catch (error) {
        // A temporary one that had ended is forgotten already.
        if (!(error instanceof ChildStateError)) throw error;
      }
    }
  }

  private async startAgain(supervisor: Pid, partition: number): Promise<void> {
    const spec = this.specs[partition]!;
    try {
      // The supervisor has kept the spec, unless it is that of a temporary child.
      if (spec.restart === 'temporary') await Supervisor.startChild(this.runtime, supervisor, spec);
      else await Supervisor.restartChild(this.runtime, supervisor, spec.id);
    } catch (error) {
      // A group restart has started it along with the others (S10).
      if (!(error instanceof ChildStateError)) throw error;
    }
  }

  private supervisor(): Pid {
    if (this.pid === undefined) throw new NoProcessError(this.label);
    return this.pid;
  }

  private specOf(
    { source, options = {}, restart, shutdownMs, ...spec }: PartitionSupervisorSpec,
    at: number,
  ): ChildSpec {
    const given = options.args ?? source.defaults?.args ?? [];
    // A function makes them anew for each incarnation, as it does for any server; else they are evaluated once (S23).
    const args = typeof given === 'function' ? () => argumentsOf(spec, given(), at) : argumentsOf(spec, given, at);
    const name = this.holders.nameOf(at);
    return childSpec(source, { ...options, name, args }, { id: `${at}`, restart, shutdownMs });
  }
}

markAsHandle(PartitionSupervisor.prototype);

function checkSpec(spec: PartitionSupervisorSpec, partitions: number): void {
  const { label, source, autoShutdown, withArguments } = spec as PartitionSupervisorSpec & { autoShutdown?: unknown };
  const of = `(partition supervisor ${label})`;
  checkSource(source, of);
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new SupervisorConfigError(
      'invalid_partitions',
      `partitions must be a whole number, 1 or more, got: ${print(partitions)} ${of}`,
    );
  }
  if (autoShutdown !== undefined && autoShutdown !== 'never') {
    throw new SupervisorConfigError(
      'invalid_auto_shutdown',
      `a partition supervisor has no significant children ${of}`,
    );
  }
  if (withArguments !== undefined && typeof withArguments !== 'function') {
    throw new SupervisorConfigError(
      'invalid_with_arguments',
      `withArguments must be a function, got: ${print(withArguments)} ${of}`,
    );
  }
}

function argumentsOf(
  { label, withArguments }: Pick<PartitionSupervisorSpec, 'label' | 'withArguments'>,
  common: readonly unknown[],
  partition: number,
): readonly unknown[] {
  if (withArguments === undefined) return common;
  const own: unknown = withArguments(common, partition);
  if (Array.isArray(own)) return own as readonly unknown[];
  throw new SupervisorConfigError(
    'invalid_with_arguments',
    `withArguments must return an array, got: ${print(own)} (partition ${partition} of partition supervisor ${label})`,
  );
}

/** In full, with sorted properties: two keys that mean the same must not be told apart by how they were made. */
function printKey(key: unknown): string {
  try {
    return inspect(key, { depth: 8, breakLength: Infinity, maxStringLength: null, maxArrayLength: null, sorted: true });
  } catch {
    return print(key);
  }
}

/** FNV-1a, which needs no table and gives the same in every Node process. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

import { markAsHandle } from './isolation/handle.js';
import { markAsPrinted } from './secrets/value-kind.js';

/** What a supervisor keeps about one incarnation of its child, found by the pid. */
export interface SupervisorRecord {
  /** Returns the record to keep after the incarnation has ended. `owner` is its process, as passed to {@link Pid.attach}. */
  afterEnd(owner: object): SupervisorRecord;
}

/**
 * Identifies one incarnation of a process. A restarted process keeps its `id` and gets the next `incarnation`, so a pid is never reused,
 * and a message sent to it never reaches a successor (P7). There is one object per incarnation: compare with `===` or
 * {@link Pid.equals}.
 */
export class Pid {
  // Private fields of the language, so that logging, comparing or serialising a pid never walks into the runtime.
  #owner: object | undefined = undefined;
  #supervisorRecord: SupervisorRecord | undefined = undefined;

  /** @internal */
  constructor(
    /** The same for all incarnations of one supervised process. */
    readonly id: number,
    /** How many incarnations came before this one: 0 for a process that was never restarted. */
    readonly incarnation: number,
  ) {}

  /** The live process of a pid, untyped because this file must not import `process.ts`. Call `processOf` of that file instead. @internal */
  static ownerOf(pid: Pid): object | undefined {
    return pid.#owner;
  }

  /** Called when the process of a pid is created. @internal */
  static attach(pid: Pid, owner: object): void {
    pid.#owner = owner;
  }

  /** Called when the process of a pid ends. @internal */
  static detach(pid: Pid): void {
    const owner = pid.#owner;
    pid.#owner = undefined;
    if (pid.#supervisorRecord !== undefined) pid.#supervisorRecord = pid.#supervisorRecord.afterEnd(owner!);
  }

  /** The supervisor's record of this incarnation, which may outlive it for a while. @internal */
  static supervisorRecord(pid: Pid): SupervisorRecord | undefined {
    return pid.#supervisorRecord;
  }

  /** @internal */
  static setSupervisorRecord(pid: Pid, record: SupervisorRecord | undefined): void {
    pid.#supervisorRecord = record;
  }

  /** Whether `other` is the same incarnation of the same process. */
  equals(other: Pid): boolean {
    return this.id === other.id && this.incarnation === other.incarnation;
  }

  /** The pid in Erlang's notation: `<0.id.incarnation>`. */
  toString(): string {
    return `<0.${this.id}.${this.incarnation}>`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `#PID${this.toString()}`;
  }
}

markAsPrinted(Pid.prototype);

/** A unique reference: one per monitor, timer or task. */
export class Ref {
  /** @internal */
  constructor(readonly id: number) {}

  toString(): string {
    return `#Ref<${this.id}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

markAsHandle(Pid.prototype);
markAsHandle(Ref.prototype);

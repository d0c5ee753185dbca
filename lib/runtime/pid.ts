import { markAsHandle } from './isolation/handle.js';

/** What a supervisor keeps about one incarnation of its child, found by the pid. */
export interface SupervisorRecord {
  /** Answers what to keep now that the incarnation has ended. `owner` is its process, as it was given to {@link Pid.attach}. */
  afterEnd(owner: object): SupervisorRecord;
}

/**
 * The identity of one life of a process. A restarted process keeps its `id` and gets the next `incarnation`, so a pid is
 * never reused and a message sent to it never reaches a successor (P7). There is one object per incarnation: compare with
 * `===` or {@link Pid.equals}.
 */
export class Pid {
  // Private to the language, so that logging, comparing or serialising a pid never walks into the runtime.
  #owner: object | undefined = undefined;
  #supervisorRecord: SupervisorRecord | undefined = undefined;

  /** @internal */
  constructor(
    /** What the incarnations of one supervised process have in common. */
    readonly id: number,
    /** How many lives came before this one: 0 for a process that was never restarted. */
    readonly incarnation: number,
  ) {}

  /** The live process of a pid, as an object that this file knows nothing about: call `processOf` of `process.ts`. @internal */
  static ownerOf(pid: Pid): object | undefined {
    return pid.#owner;
  }

  /** Called when the process of a pid is made. @internal */
  static attach(pid: Pid, owner: object): void {
    pid.#owner = owner;
  }

  /** Called when the process of a pid ends. @internal */
  static detach(pid: Pid): void {
    const owner = pid.#owner;
    pid.#owner = undefined;
    if (pid.#supervisorRecord !== undefined) pid.#supervisorRecord = pid.#supervisorRecord.afterEnd(owner!);
  }

  /** What the supervisor keeps about this incarnation, also for a while after its end. @internal */
  static supervisorRecord(pid: Pid): SupervisorRecord | undefined {
    return pid.#supervisorRecord;
  }

  /** @internal */
  static setSupervisorRecord(pid: Pid, record: SupervisorRecord | undefined): void {
    pid.#supervisorRecord = record;
  }

  equals(other: Pid): boolean {
    return this.id === other.id && this.incarnation === other.incarnation;
  }

  /** As Erlang prints it: `<0.id.incarnation>`. */
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

/** A reference that is unlike any other: one per monitor or timer. */
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

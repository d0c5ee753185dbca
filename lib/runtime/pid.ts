import type { Process } from './process.js';

/** What a supervisor keeps of one life of its child, found by the pid. */
export interface SupervisorRecord {
  /** That life has ended: what is to be kept of it from now on. */
  afterEnd(process: Process): SupervisorRecord;
}

/**
 * The identity of one life of a process. A restarted process keeps its `id` and gets the next `incarnation`, so a pid is
 * never reused and a message sent to it never reaches a successor (P7). There is one object per incarnation: compare with
 * `===` or {@link Pid.equals}.
 */
export class Pid {
  // Private to the language, so that logging, comparing or serialising a pid never walks into the runtime.
  #process: Process | undefined = undefined;
  #supervisorRecord: SupervisorRecord | undefined = undefined;

  /** @internal */
  constructor(
    /** What the incarnations of one supervised process have in common. */
    readonly id: number,
    /** How many lives came before this one: 0 for a process that was never restarted. */
    readonly incarnation: number,
  ) {}

  /** The live process behind a pid. @internal */
  static processOf(pid: Pid): Process | undefined {
    return pid.#process;
  }

  /** Relations a pid to its process at the start. @internal */
  static attach(pid: Pid, process: Process): void {
    pid.#process = process;
  }

  /** Unties it at the end. @internal */
  static detach(pid: Pid): void {
    const process = pid.#process;
    pid.#process = undefined;
    if (pid.#supervisorRecord !== undefined) pid.#supervisorRecord = pid.#supervisorRecord.afterEnd(process!);
  }

  /** What its supervisor keeps of this incarnation, also for a while after its end. @internal */
  static supervisorRecord(pid: Pid): SupervisorRecord | undefined {
    return pid.#supervisorRecord;
  }

  /** @internal */
  static setSupervisorRecord(pid: Pid, kept: SupervisorRecord | undefined): void {
    pid.#supervisorRecord = kept;
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

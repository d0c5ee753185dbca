import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import type { Pid } from '../runtime/pid.js';
import type { Child, ChildCounts, ChildStatus } from './child.js';
import type { ChildId } from './child-spec.js';
import type { StartOrder } from './strategies.js';

/**
 * The children of one supervisor, in the order they are started. Finding one, adding one and removing one cost the same however many
 * there are. The order is a list that runs through the children themselves.
 */
export class ChildTable implements StartOrder<Child> {
  private first: Child | null = null;
  private last: Child | null = null;
  private readonly byId = new Map<ChildId, Child>();
  /** Only those that have a process. */
  private readonly byPid = new Map<Pid, Child>();
  private supervisors = 0;
  /** Significant children that have not ended for good. */
  private significant = 0;

  get size(): number {
    return this.byId.size;
  }

  /** Whether a significant child has not ended for good. */
  get hasSignificant(): boolean {
    return this.significant > 0;
  }

  /** Adds a child behind the others. Its id must not be taken. */
  add(child: Child): void {
    this.byId.set(child.spec.id, child);
    child.previous = this.last;
    if (this.last === null) this.first = child;
    else this.last.next = child;
    this.last = child;
    if (child.spec.type === 'supervisor') this.supervisors++;
    this.countSignificant(child, 1);
  }

  /** Removes a child that has no process. Harmless when it was removed before. */
  remove(child: Child): void {
    if (!this.has(child)) return;
    this.byId.delete(child.spec.id);
    const { previous, next } = child;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    child.previous = child.next = null;
    if (child.spec.type === 'supervisor') this.supervisors--;
    this.countSignificant(child, -1);
  }

  has(child: Child): boolean {
    return this.byId.get(child.spec.id) === child;
  }

  get(id: ChildId): Child | undefined {
    return this.byId.get(id);
  }

  /** The child whose process has this pid. */
  withPid(pid: Pid | undefined): Child | undefined {
    return pid === undefined ? undefined : this.byPid.get(pid);
  }

  all(): Child[] {
    return this.since(this.first);
  }

  from(child: Child): Child[] {
    return this.since(child);
  }

  /** Gives a child its process, or takes note that it has none. */
  setProcess(child: Child, process: GenServerProcess | null): void {
    if (child.process !== null) this.byPid.delete(child.process.pid);
    child.process = process;
    if (process === null) return;
    child.pid = process.pid;
    this.byPid.set(process.pid, child);
  }

  setStatus(child: Child, status: ChildStatus): void {
    this.countSignificant(child, -1);
    child.status = status;
    this.countSignificant(child, 1);
  }

  count(): ChildCounts {
    const { size: specs, supervisors } = this;
    return { specs, active: this.byPid.size, supervisors, workers: specs - supervisors };
  }

  private countSignificant({ spec, status }: Child, by: 1 | -1): void {
    if (spec.significant && status !== 'stopped') this.significant += by;
  }

  private since(first: Child | null): Child[] {
    const children: Child[] = [];
    for (let child = first; child !== null; child = child.next) children.push(child);
    return children;
  }
}

import type { Restart } from '../../lib/supervision/restart-policy.js';
import type { Strategy } from '../../lib/supervision/strategies.js';

export interface ModelChild {
  readonly id: string;
  readonly restart: Restart;
  status: 'running' | 'stopped' | 'restarting';
  /** Which of its lives this is. An exit belongs to one life. */
  life: number;
  /** The supervisor believes that it has a process, which may have ended unnoticed. */
  hasProcess: boolean;
}

export type Request =
  | { readonly type: 'start'; readonly id: string; readonly restart: Restart }
  | { readonly type: 'terminate' | 'restart' | 'delete'; readonly id: string };

export interface Ended {
  readonly id: string;
  readonly life: number;
  readonly isClean: boolean;
}

/**
 * What a supervisor with an endless budget does, in words of its own and without a process: the rules S8 to S18, one
 * message after the other.
 */
export class SupervisorModel {
  children: ModelChild[] = [];
  /** How often the next starts of a child are still to fail. */
  readonly failures = new Map<string, number>();
  private retries: { readonly child: ModelChild; readonly life: number }[] = [];

  constructor(private readonly strategy: Strategy) {}

  get running(): string[] {
    return this.children.filter(({ status }) => status === 'running').map(({ id }) => id);
  }

  find(id: string): ModelChild | undefined {
    return this.children.find((child) => child.id === id);
  }

  request(request: Request): void {
    const child = this.find(request.id);
    if (request.type === 'start') {
      if (child === undefined) this.add(request.id, request.restart);
    } else if (child === undefined) {
      return;
    } else if (request.type === 'terminate') {
      this.stop(child);
    } else if (child.status !== 'stopped') {
      return;
    } else if (request.type === 'restart') {
      this.start(child);
    } else {
      this.forget(child);
    }
  }

  exit({ id, life, isClean }: Ended): void {
    const child = this.find(id);
    if (child === undefined || child.life !== life || !child.hasProcess) return;
    child.hasProcess = false;
    child.status = 'stopped';
    const isRestarted = child.restart === 'permanent' || (child.restart === 'transient' && !isClean);
    if (isRestarted) this.restart(child);
    else if (child.restart === 'temporary') this.forget(child);
  }

  /** Lets everything happen that comes by itself. */
  comeToRest(): void {
    for (let retry = this.retries.shift(); retry !== undefined; retry = this.retries.shift()) {
      const { child, life } = retry;
      if (this.children.includes(child) && child.status === 'restarting' && child.life === life) this.restart(child);
    }
  }

  private add(id: string, restart: Restart): void {
    const child: ModelChild = { id, restart, status: 'stopped', life: 0, hasProcess: false };
    this.children.push(child);
    if (!this.start(child)) this.forget(child);
  }

  private restart(failed: ModelChild): void {
    const at = this.children.indexOf(failed);
    const group =
      this.strategy === 'one_for_one' ? [failed] : this.children.slice(this.strategy === 'one_for_all' ? 0 : at);
    if (group.length > 1) for (const child of group.toReversed()) this.stop(child);
    for (const child of group) {
      if (!this.children.includes(child) || this.start(child)) continue;
      child.status = 'restarting';
      this.retries.push({ child, life: child.life });
      return;
    }
  }

  private start(child: ModelChild): boolean {
    const left = this.failures.get(child.id) ?? 0;
    this.failures.set(child.id, Math.max(0, left - 1));
    child.life++;
    child.hasProcess = left === 0;
    child.status = left === 0 ? 'running' : 'stopped';
    return left === 0;
  }

  private stop(child: ModelChild): void {
    child.hasProcess = false;
    child.status = 'stopped';
    if (child.restart === 'temporary') this.forget(child);
  }

  private forget(child: ModelChild): void {
    this.children = this.children.filter((other) => other !== child);
  }
}

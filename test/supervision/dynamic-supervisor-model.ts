import type { Restart } from '../../lib/supervision/restart-policy.js';

/** How a start of a child is to go. */
export type Start = 'ok' | 'fails' | 'ignores';

export interface ModelDynamicChild {
  readonly label: string;
  readonly restart: Restart;
  readonly name: string | undefined;
  /** How the coming starts go; when there are no more of them, well. */
  readonly starts: Start[];
  /** How often it was started. */
  lives: number;
  phase: 'starting' | 'running' | 'gone';
  isLeaving: boolean;
  /** An exit signal has reached it that it has not acted on. */
  ending: { readonly isClean: boolean } | undefined;
}

/**
 * What a dynamic supervisor with an endless budget does, in words of its own and without a process: what is asked of it in one
 * go takes effect at once as far as names and pids are concerned, the rest when the world comes to rest (D1 to D5).
 */
export class DynamicSupervisorModel {
  children: ModelDynamicChild[] = [];

  constructor(private readonly maxChildren: number) {}

  /** Whether the child may be made at all; whether it then starts shows in the end. */
  start(label: string, restart: Restart, name: string | undefined, starts: readonly Start[]): boolean {
    if (this.children.length >= this.maxChildren) return false;
    if (name !== undefined && this.children.some((child) => child.name === name)) return false;
    const fresh = { lives: 0, phase: 'starting', isLeaving: false, ending: undefined } as const;
    this.children.push({ label, restart, name, starts: [...starts], ...fresh });
    return true;
  }

  /** Whether there is somebody to stop. */
  terminate(label: string): boolean {
    const child = this.find(label);
    if (child === undefined || child.isLeaving) return false;
    child.isLeaving = true;
    return true;
  }

  exit(label: string, isClean: boolean): void {
    const child = this.find(label);
    if (child !== undefined) child.ending ??= { isClean };
  }

  /** Lets everything happen that comes by itself. */
  comeToRest(): void {
    for (const child of this.children) this.rest(child);
    this.children = this.children.filter(({ phase }) => phase !== 'gone');
  }

  private rest(child: ModelDynamicChild): void {
    const { ending, phase } = child;
    child.ending = undefined;
    // A child that ends before its init is done never started; a child that is being terminated does not come back.
    if (phase === 'starting') child.phase = ending === undefined && this.begin(child) === 'ok' ? 'running' : 'gone';
    else if (ending !== undefined && !child.isLeaving) this.end(child, ending.isClean);
    if (child.isLeaving) child.phase = 'gone';
  }

  private end(child: ModelDynamicChild, isClean: boolean): void {
    const isRestarted = child.restart === 'permanent' || (child.restart === 'transient' && !isClean);
    let outcome: Start = isRestarted ? 'fails' : 'ignores';
    while (outcome === 'fails') outcome = this.begin(child);
    if (outcome === 'ignores') child.phase = 'gone';
  }

  private begin(child: ModelDynamicChild): Start {
    child.lives++;
    return child.starts.shift() ?? 'ok';
  }

  private find(label: string): ModelDynamicChild | undefined {
    return this.children.find((child) => child.label === label);
  }
}

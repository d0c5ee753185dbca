import { type Destination, resolve } from '../gen-server/client/destination.js';
import { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import { linkedTo } from '../runtime/relations/links.js';
import { type ProcessStatus, processOf } from '../runtime/process.js';
import { formatName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ChildStatus, ChildView, SupervisorStatus } from '../supervision/child.js';
import { oneLine } from './excerpt.js';

/**
 * One process and what it started, as plain data that can be serialised.
 *
 * @publicApi
 */
export interface ProcessTree {
  /** What its supervisor calls it; null when it has none. */
  readonly id: string | null;
  /** Null when the child is not running. */
  readonly pid: string | null;
  readonly label: string;
  /** The name it is registered under; null when it has none. */
  readonly name: string | null;
  readonly type: 'worker' | 'supervisor';
  /** A supervised child without a process is `stopped`, or `restarting` when its last start failed. */
  readonly status: Exclude<ProcessStatus, 'dead'> | Exclude<ChildStatus, 'running'>;
  readonly queueLength: number;
  /** How many lives came before this one; null when there was none yet. */
  readonly incarnation: number | null;
  /** In the order they are started. */
  readonly children: readonly ProcessTree[];
  /** How many children there are besides: of its many, a dynamic supervisor shows the first 100. */
  readonly childrenNotShown: number;
}

/**
 * Looks at a process and everything below it: the children of supervisors with those that are stopped, and what a worker
 * started with a link. Nobody is asked, so it works while all of them are busy; undefined when there is no such process.
 */
export function inspectTree(runtime: Runtime, root: Destination): ProcessTree | undefined {
  const process = resolve(runtime, root);
  return process === undefined ? undefined : treeOf(process, null);
}

function treeOf(process: GenServerProcess, id: string | null): ProcessTree {
  const { pid, label, registeredName, status, queueLength, definition } = process;
  return {
    id,
    pid: pid.toString(),
    label: oneLine(label),
    name: registeredName === undefined ? null : oneLine(formatName(registeredName)),
    type: definition.isSupervisor === true ? 'supervisor' : 'worker',
    status: status as ProcessTree['status'],
    queueLength,
    incarnation: pid.incarnation,
    ...childrenOf(process),
  };
}

function childrenOf(process: GenServerProcess): Pick<ProcessTree, 'children' | 'childrenNotShown'> {
  if (process.definition.isSupervisor !== true) {
    return { children: startedBy(process).map((child) => treeOf(child, null)), childrenNotShown: 0 };
  }
  // What a supervisor shows of itself is the list of its children; nothing before it has been made.
  const status = process.visibleState() as SupervisorStatus | undefined;
  return { children: (status?.children ?? []).map(treeOfChild), childrenNotShown: status?.notShown ?? 0 };
}

function startedBy(process: GenServerProcess): GenServerProcess[] {
  return linkedTo(process).filter(
    (linked) => linked.parent === process && linked instanceof GenServerProcess,
  ) as GenServerProcess[];
}

function treeOfChild({ id, pid, status, type }: ChildView): ProcessTree {
  const printedId = oneLine(id);
  // A child that is being started or stopped has a process although its supervisor does not count it as running.
  const process = pid === undefined ? undefined : processOf(pid);
  if (process instanceof GenServerProcess) return treeOf(process, printedId);
  return {
    id: printedId,
    pid: null,
    label: printedId,
    name: null,
    type,
    // It has ended a moment ago and its supervisor has not acted on it yet.
    status: status === 'running' ? 'stopped' : status,
    queueLength: 0,
    incarnation: pid?.incarnation ?? null,
    children: [],
    childrenNotShown: 0,
  };
}

/** Draws a tree, one line per process: what it is, its name where that says more, its pid, how it is doing. */
export function prettyPrint(tree: ProcessTree): string {
  return linesOf(tree, '', '').join('\n');
}

function linesOf(tree: ProcessTree, indent: string, indentOfChildren: string): string[] {
  const lines = [`${indent}${lineOf(tree)}`];
  const { children, childrenNotShown } = tree;
  children.forEach((child, at) => {
    const isLast = at === children.length - 1 && childrenNotShown === 0;
    lines.push(
      ...linesOf(
        child,
        `${indentOfChildren}${isLast ? '└── ' : '├── '}`,
        `${indentOfChildren}${isLast ? '    ' : '│   '}`,
      ),
    );
  });
  if (childrenNotShown > 0) lines.push(`${indentOfChildren}└── … and ${childrenNotShown} more`);
  return lines;
}

function lineOf({ label, name, pid, status, queueLength }: ProcessTree): string {
  const parts = [label];
  if (name !== null && name !== label && name !== `'${label}'`) parts.push(name);
  if (pid !== null) parts.push(pid);
  parts.push(status);
  return `${parts.join(' ')}${queueLength > 0 ? `, ${queueLength} queued` : ''}`;
}

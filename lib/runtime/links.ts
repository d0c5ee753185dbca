import type { Process } from './process.js';

/**
 * Who dies with whom. A link is symmetric and there is at most one per pair (L1). The link of a child to its parent is a
 * flag of the child, any other an entry in the sets of both.
 */
export function link(a: Process, b: Process): void {
  if (a === b || areLinked(a, b)) return;
  (a.links ??= new Set()).add(b);
  (b.links ??= new Set()).add(a);
}

/** The link that a process is started with. */
export function linkToParent(child: Process): void {
  child.isLinkedToParent = true;
  (child.parent!.links ??= new Set()).add(child);
}

/** Removes the link. Signals that are already on their way still arrive. */
export function unlink(a: Process, b: Process): void {
  a.forgetLink(b);
  b.forgetLink(a);
}

export function areLinked(a: Process, b: Process): boolean {
  return (a.isLinkedToParent && a.parent === b) || (a.links?.has(b) ?? false);
}

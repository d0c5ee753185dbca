import { type RelatedProcess, relationsOf } from './relations.js';

/**
 * Links two processes, so that the abnormal exit of one reaches the other. A link is symmetric, and there is at most one per pair (L1). The
 * link between a child and its parent is a flag of the child; any other link is an entry in the sets of both processes.
 */
export function link(a: RelatedProcess, b: RelatedProcess): void {
  if (a === b || areLinked(a, b)) return;
  (relationsOf(a).links ??= new Set()).add(b);
  (relationsOf(b).links ??= new Set()).add(a);
}

/** Links a child to its parent when it is started. */
export function linkToParent(child: RelatedProcess): void {
  child.isLinkedToParent = true;
}

/** Removes the link. Exit signals that were already sent still arrive. */
export function unlink(a: RelatedProcess, b: RelatedProcess): void {
  a.forgetLink(b);
  b.forgetLink(a);
}

export function areLinked(a: RelatedProcess, b: RelatedProcess): boolean {
  if ((a.isLinkedToParent && a.parent === b) || (b.isLinkedToParent && b.parent === a)) return true;
  return a.relations?.links?.has(b) ?? false;
}

// Not frozen, because V8 does not optimize iteration over frozen arrays.
const NO_PROCESSES: readonly RelatedProcess[] = [];

/** The processes that a process is linked to, except its parent: its children, oldest first, then the processes it linked to itself. */
export function linkedTo({ relations }: RelatedProcess): readonly RelatedProcess[] {
  if (relations === null || (relations.children === null && relations.links === null)) return NO_PROCESSES;
  const children = relations.children?.members().filter(({ isLinkedToParent }) => isLinkedToParent) ?? [];
  return relations.links === null ? children : [...children, ...relations.links];
}

import { type RelatedProcess, relationsOf } from './relations.js';

/**
 * Who dies with whom. A link is symmetric and there is at most one per pair (L1). The link of a child to its parent is a
 * flag of the child, any other an entry in the sets of both.
 */
export function link(a: RelatedProcess, b: RelatedProcess): void {
  if (a === b || areLinked(a, b)) return;
  (relationsOf(a).links ??= new Set()).add(b);
  (relationsOf(b).links ??= new Set()).add(a);
}

/** The link that a process is started with. */
export function linkToParent(child: RelatedProcess): void {
  child.isLinkedToParent = true;
}

/** Removes the link. Signals that are already on their way still arrive. */
export function unlink(a: RelatedProcess, b: RelatedProcess): void {
  a.forgetLink(b);
  b.forgetLink(a);
}

export function areLinked(a: RelatedProcess, b: RelatedProcess): boolean {
  if ((a.isLinkedToParent && a.parent === b) || (b.isLinkedToParent && b.parent === a)) return true;
  return a.relations?.links?.has(b) ?? false;
}

// Not frozen: going through frozen arrays is not compiled to anything fast.
const NOBODY: readonly RelatedProcess[] = [];

/** Whom a process is linked to, its parent apart: its children, the oldest first, and whom it linked to of its own accord. */
export function linkedTo({ relations }: RelatedProcess): readonly RelatedProcess[] {
  if (relations === null || (relations.children === null && relations.links === null)) return NOBODY;
  const children = relations.children?.members().filter(({ isLinkedToParent }) => isLinkedToParent) ?? [];
  return relations.links === null ? children : [...children, ...relations.links];
}

/** A process as the list of its parent's children sees it. */
export interface Sibling<P> {
  /** The next older child of the same parent; null for the oldest. @internal */
  olderSibling: P | null;
  /** The next younger child of the same parent; null for the youngest. @internal */
  youngerSibling: P | null;
}

/**
 * The children of one process, or the processes without a live parent. The list is intrusive, so a child costs its parent no memory and is
 * removed in constant time.
 */
export class Family<P extends Sibling<P>> {
  private youngest: P | null = null;

  add(process: P): void {
    process.olderSibling = this.youngest;
    if (this.youngest !== null) this.youngest.youngerSibling = process;
    this.youngest = process;
  }

  remove(process: P): void {
    const { olderSibling, youngerSibling } = process;
    if (youngerSibling === null) this.youngest = olderSibling;
    else youngerSibling.olderSibling = olderSibling;
    if (olderSibling !== null) olderSibling.youngerSibling = youngerSibling;
    process.olderSibling = process.youngerSibling = null;
  }

  /** Moves the members of another family, whose parent has ended, into this one. */
  adopt(others: Family<P>): void {
    for (const process of others.members()) {
      others.remove(process);
      this.add(process);
    }
  }

  /** The members, oldest first. A copy, because processes may start or end while a caller iterates. */
  members(): P[] {
    const members: P[] = [];
    for (let process = this.youngest; process !== null; process = process.olderSibling) members.push(process);
    return members.reverse();
  }
}

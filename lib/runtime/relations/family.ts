import type { Process } from '../process.js';

/**
 * The processes that one process started, or those that nobody looks after. The list runs through the processes themselves, so a
 * child costs its parent nothing, and leaving is immediate however many there are.
 */
export class Family {
  private youngest: Process | null = null;

  add(process: Process): void {
    process.olderSibling = this.youngest;
    if (this.youngest !== null) this.youngest.youngerSibling = process;
    this.youngest = process;
  }

  remove(process: Process): void {
    const { olderSibling, youngerSibling } = process;
    if (youngerSibling === null) this.youngest = olderSibling;
    else youngerSibling.olderSibling = olderSibling;
    if (olderSibling !== null) olderSibling.youngerSibling = youngerSibling;
    process.olderSibling = process.youngerSibling = null;
  }

  /** Takes in those whose parent has ended. */
  adopt(others: Family): void {
    for (const process of others.members()) {
      others.remove(process);
      this.add(process);
    }
  }

  /** A copy, the oldest first: who is told may leave, or start another. */
  members(): Process[] {
    const members: Process[] = [];
    for (let process = this.youngest; process !== null; process = process.olderSibling) members.push(process);
    return members.reverse();
  }
}

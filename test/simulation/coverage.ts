/** How many schedules had both: an operation and a fault. */
export class Coverage {
  readonly counts: Record<string, Record<string, number>> = {};

  add(operations: Iterable<string>, faults: Iterable<string>): void {
    const found = [...faults, 'none of these'];
    for (const operation of operations) {
      const row = (this.counts[operation] ??= {});
      for (const fault of found) row[fault] = (row[fault] ?? 0) + 1;
    }
  }

  merge(counts: Record<string, Record<string, number>>): void {
    for (const [operation, row] of Object.entries(counts)) {
      const own = (this.counts[operation] ??= {});
      for (const [fault, count] of Object.entries(row)) own[fault] = (own[fault] ?? 0) + count;
    }
  }
}

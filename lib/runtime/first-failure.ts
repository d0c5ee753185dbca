/**
 * Lets everybody who is to be told have their turn, whatever one of them throws: nobody may be left behind because of a neighbour. What
 * the first of them threw is thrown when all have had it.
 */
export class FirstFailure {
  private failure: { readonly thrown: unknown } | null = null;

  note(thrown: unknown): void {
    this.failure ??= { thrown };
  }

  raise(): void {
    if (this.failure !== null) throw this.failure.thrown;
  }
}

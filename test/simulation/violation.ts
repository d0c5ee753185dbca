/** What a schedule has done that no schedule may do. `rule` is the code of the invariant. */
export class Violation extends Error {
  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(message);
    this.name = 'Violation';
  }
}

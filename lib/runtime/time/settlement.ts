import { Deadline } from './deadline.js';
import { withoutFrames } from '../errors.js';
import { keepShape } from '../keep-shape.js';

/**
 * The settling of a promise that somebody waits for until a deadline. The first outcome counts: a value, an error, or the expiry of the
 * deadline. Later ones are ignored, and a settled promise is no longer among the deadlines.
 */
export class Settlement<T> extends Deadline {
  isSettled = false;

  constructor(
    private readonly resolve: (value: T) => void,
    private readonly reject: (error: unknown) => void,
    /** Called if the deadline expires first, to make the error. */
    private readonly onExpiry: () => Error,
  ) {
    super();
  }

  settle(value: T): void {
    if (this.finish()) this.resolve(value);
  }

  refuse(error: unknown): void {
    if (this.finish()) this.reject(error);
  }

  /** Like {@link refuse}, with an error that has no stack frames. It is made only if this is the first outcome. */
  refuseWith(make: () => Error): void {
    if (!this.isSettled) this.refuse(withoutFrames(make));
  }

  expire(): void {
    this.refuseWith(this.onExpiry);
  }

  private finish(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.cancel();
    return true;
  }
}

keepShape(new Settlement(null as never, null as never, null as never));

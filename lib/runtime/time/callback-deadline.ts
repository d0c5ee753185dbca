import { Deadline } from './deadline.js';
import { keepShape } from '../keep-shape.js';

/** A deadline for where what waits is no object of its own: a promise that is not to be kept waiting, a line that is to be logged. */
export class CallbackDeadline extends Deadline {
  constructor(private readonly onExpiry: () => void) {
    super();
  }

  expire(): void {
    this.onExpiry();
  }
}

keepShape(new CallbackDeadline(() => undefined));

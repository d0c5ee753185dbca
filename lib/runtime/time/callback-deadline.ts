import { Deadline } from './deadline.js';
import { keepShape } from '../keep-shape.js';

/** A deadline that calls a function, for waiters that are no objects: a promise that must settle in time, a log line that is due later. */
export class CallbackDeadline extends Deadline {
  constructor(private readonly onExpiry: () => void) {
    super();
  }

  expire(): void {
    this.onExpiry();
  }
}

keepShape(new CallbackDeadline(() => undefined));

import type { Clock, TimerHandle } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/** The longest delay of a platform timer; Node fires a longer one at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One platform timer that many deadlines share. When its last deadline is removed, the timer is not cancelled but left to run out, because
 * the next deadline usually follows soon. Once per turn of the event loop, its owner decides whether it keeps the Node process alive, so
 * that a timer without deadlines does not.
 */
export class Alarm {
  private timer: TimerHandle | null = null;
  private firesAt = Infinity;
  private isHeld = false;
  private isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly root: RootContext,
    private readonly onFire: (now: number) => void,
  ) {}

  get isArmed(): boolean {
    return this.timer !== null;
  }

  /** Makes sure that the alarm fires at `at` or before. */
  ringAt(at: number, now: number): void {
    if (this.isClosed) return;
    if (this.timer !== null && this.firesAt <= at && this.timer.isLost !== true) {
      this.hold();
      return;
    }
    this.timer?.cancel();
    const delayMs = Math.min(at - now, LONGEST_TIMER_MS);
    this.firesAt = now + delayMs;
    this.isHeld = true;
    this.timer = this.root.run(() => this.clock.setTimer(delayMs, () => this.fire()));
  }

  /** Keeps the Node process alive for this alarm. */
  hold(): void {
    if (this.isHeld || this.timer === null) return;
    this.isHeld = true;
    this.timer.ref();
  }

  /** Lets the Node process end although the alarm is armed: no deadline needs it. */
  release(): void {
    if (!this.isHeld || this.timer === null) return;
    this.isHeld = false;
    this.timer.unref();
  }

  /** Cancels the platform timer for good; later calls do not arm it. */
  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
    this.timer = null;
    this.firesAt = Infinity;
    this.isHeld = false;
  }

  private fire(): void {
    this.timer = null;
    this.firesAt = Infinity;
    this.isHeld = false;
    this.onFire(this.clock.now());
  }
}

import type { Clock, TimerHandle } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/** The longest delay a platform timer takes; beyond it Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One platform timer that many deadlines share. It is left to lapse rather than cancelled whenever the last deadline goes,
 * since the next one is usually on its way; so that a lapsing timer does not keep the Node process alive, holding on is
 * settled once per turn of the event loop.
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

  /** Makes sure that the alarm rings at `at` or before. */
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

  /** Lets the Node process end: nobody waits for this alarm. */
  release(): void {
    if (!this.isHeld || this.timer === null) return;
    this.isHeld = false;
    this.timer.unref();
  }

  /** Takes the platform timer down for good. */
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

/** The clock of the Node process, of which some time can be left out: what is due by then fires at once. */
export class SkippingClock {
  #skippedMs = 0;
  #timers = new Set();

  now() {
    return performance.now() + this.#skippedMs;
  }

  wallTime() {
    return Date.now() + this.#skippedMs;
  }

  setTimer(delayMs, fire) {
    const timer = { at: this.now() + delayMs, isHeld: true };
    timer.fire = () => {
      this.#timers.delete(timer);
      fire();
    };
    this.#timers.add(timer);
    this.#arm(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        clearTimeout(timer.timeout);
      },
      ref: () => this.#hold(timer, true),
      unref: () => this.#hold(timer, false),
    };
  }

  nextTurn(turn) {
    setImmediate(turn);
  }

  skip(ms) {
    this.#skippedMs += ms;
    for (const timer of this.#timers) {
      clearTimeout(timer.timeout);
      this.#arm(timer);
    }
  }

  #arm(timer) {
    timer.timeout = setTimeout(timer.fire, Math.max(1, Math.ceil(timer.at - this.now())));
    this.#hold(timer, timer.isHeld);
  }

  #hold(timer, isHeld) {
    timer.isHeld = isHeld;
    if (isHeld) timer.timeout.ref();
    else timer.timeout.unref();
  }
}

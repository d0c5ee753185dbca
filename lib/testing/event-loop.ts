import { MessageChannel } from 'node:worker_threads';

/**
 * Real turns of the event loop, whatever a test runner has done to the globals: fake timers replace `setImmediate`, those of Jest
 * even `process.nextTick`, but nobody fakes a message port.
 *
 * Two ports, because one port hands over all its messages in one go. Each is looked at once in a turn of the loop, so a message that
 * goes from the first to the second and back to the first has seen a turn end, with its immediates.
 */
class TurnBell {
  private readonly first = new MessageChannel();
  private readonly second = new MessageChannel();
  private waiting: (() => void)[] = [];
  private isOnItsWayBack = false;

  constructor() {
    this.first.port2.on('message', () => (this.isOnItsWayBack ? this.ring() : this.second.port1.postMessage(null)));
    this.second.port2.on('message', () => {
      this.isOnItsWayBack = true;
      this.first.port1.postMessage(null);
    });
    this.keepNodeAlive(false);
  }

  onRing(listener: () => void): void {
    if (this.waiting.push(listener) > 1) return;
    this.isOnItsWayBack = false;
    this.keepNodeAlive(true);
    this.first.port1.postMessage(null);
  }

  private ring(): void {
    const { waiting } = this;
    this.waiting = [];
    this.keepNodeAlive(false);
    for (const listener of waiting) listener();
  }

  private keepNodeAlive(doesKeep: boolean): void {
    for (const { port2 } of [this.first, this.second]) {
      if (doesKeep) port2.ref();
      else port2.unref();
    }
  }
}

/** Of this copy of the module. It holds nothing of any test: who waits, and for one turn only. */
let bell: TurnBell | undefined;

/** Resolves in the next turn of the event loop, when all microtasks and the immediates of this one are done. */
export function nextLoopTurn(): Promise<void> {
  const theBell = (bell ??= new TurnBell());
  return new Promise((resolve) => theBell.onRing(resolve));
}

/** Calls `turn` in the next turn of the event loop, in the async context of whoever asks for it. */
export function onNextLoopTurn(turn: () => void): void {
  void nextLoopTurn().then(turn);
}

/** Whether an immediate is armed, so that there is more to come without time passing. */
export function isImmediateArmed(): boolean {
  return process.getActiveResourcesInfo().includes('Immediate');
}

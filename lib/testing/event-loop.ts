import { MessageChannel } from 'node:worker_threads';

type Listener = () => void;

/**
 * Real turns of the event loop, whatever a test runner has done to the globals: fake timers replace `setImmediate`, those of Jest
 * even `process.nextTick`, but no fake replaces message ports.
 *
 * Two ports, because one port hands over all its messages in one go. Each is looked at once in a turn of the loop, so a message that
 * goes from the first to the second and back to the first has seen a turn end, with its immediates. Waiting callers are told one
 * message each, so that, as with immediates, all that one of them sets off is done before the next is told.
 */
class TurnBell {
  private readonly first = new MessageChannel();
  private readonly second = new MessageChannel();
  private waiting: Listener[] = [];
  private ringing: Listener[] = [];
  private stage: 'idle' | 'away' | 'back' = 'idle';

  constructor() {
    this.first.port2.on('message', () => {
      if (this.stage === 'back') this.ring();
      else this.second.port1.postMessage(null);
    });
    this.second.port2.on('message', () => {
      this.stage = 'back';
      this.ringing = this.waiting;
      this.waiting = [];
      this.first.port1.postMessage(null);
    });
    this.rest();
  }

  onRing(listener: Listener): void {
    this.waiting.push(listener);
    if (this.stage !== 'idle') return;
    for (const { port2 } of [this.first, this.second]) port2.ref();
    this.depart();
  }

  private depart(): void {
    this.stage = 'away';
    this.first.port1.postMessage(null);
  }

  private ring(): void {
    this.ringing.shift()!();
    if (this.ringing.length > 0) this.first.port1.postMessage(null);
    else if (this.waiting.length > 0) this.depart();
    else this.rest();
  }

  /** No caller waits: Node may end. */
  private rest(): void {
    this.stage = 'idle';
    for (const { port2 } of [this.first, this.second]) port2.unref();
  }
}

/** Of this copy of the module. It holds nothing of any test but its waiting callers, and those for one turn only. */
let bell: TurnBell | undefined;

/** Resolves in the next turn of the event loop, when all microtasks and the immediates of this one are done. */
export function nextLoopTurn(): Promise<void> {
  const theBell = (bell ??= new TurnBell());
  return new Promise((resolve) => theBell.onRing(resolve));
}

/** Calls `turn` in the next turn of the event loop, in the async context of the caller. */
export function onNextLoopTurn(turn: () => void): void {
  void nextLoopTurn().then(turn);
}

/** Whether an immediate is armed, so that there is more to come without time passing. */
export function isImmediateArmed(): boolean {
  return process.getActiveResourcesInfo().includes('Immediate');
}

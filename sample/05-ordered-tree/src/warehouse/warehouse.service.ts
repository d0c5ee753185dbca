import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Stands for the computer of the warehouse. It forgets a session as soon as it is asked for another. */
@Injectable()
export class Warehouse {
  private sessions = 0;

  /** Opens a session. Takes two seconds, or until `signal` fires. */
  async connect(signal: AbortSignal): Promise<number> {
    await setTimeout(2_000, undefined, { signal });
    return ++this.sessions;
  }

  /** Has something packed. Takes a second, or until `signal` fires. */
  async pack(item: string, signal: AbortSignal): Promise<string> {
    await setTimeout(1_000, undefined, { signal });
    return `a parcel with one ${item}`;
  }
}

import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** How the model comes to its slowness. A port, so that tests turn time by hand. */
@Injectable()
export class Pacing {
  /** Resolves in `ms` milliseconds, or rejects as soon as `signal` fires. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    await setTimeout(ms, undefined, { signal });
  }
}

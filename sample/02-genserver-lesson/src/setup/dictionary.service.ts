import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Stands for whatever is expensive to set up. */
@Injectable()
export class Dictionary {
  /** Takes two seconds, or until `signal` fires. */
  async load(signal: AbortSignal): Promise<readonly string[]> {
    return setTimeout(2_000, ['call', 'cast', 'info'], { signal });
  }
}

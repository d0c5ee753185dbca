import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Stands for expensive work that somebody else does: a worker thread, another service, a printer. */
@Injectable()
export class Printer {
  /** Takes two seconds, or until `signal` fires. */
  async print(report: number, signal: AbortSignal): Promise<string> {
    await setTimeout(2_000, undefined, { signal });
    return `report ${report}, printed`;
  }
}

import { inspect } from 'node:util';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { type GenServerEvent, GenServerRuntime } from 'nestjs-genserver';

type ChildStopped = Extract<GenServerEvent, { type: 'supervisor.child_stopped' }>;

/** Writes down who is stopped when the application ends, in which order, and how it went; then prints it. */
@Injectable()
export class ShutdownReport implements BeforeApplicationShutdown {
  readonly lines: string[] = [];
  private readonly logger = new Logger(ShutdownReport.name);

  constructor(runtime: GenServerRuntime) {
    runtime.events$.subscribe((event) => {
      if (event.type !== 'supervisor.child_stopped') return;
      // Siblings of a server that crashed are stopped, too, but the application lives on. The children of the top are supervisors.
      if (runtime.status === 'stopping' && event.supervisor !== 'application') this.lines.push(lineOf(event));
    });
  }

  /** The tree is stopped in an earlier hook, while requests can still be answered. */
  beforeApplicationShutdown(signal?: string): void {
    this.logger.log(`Stopped because of ${signal ?? 'app.close()'}:\n${this.lines.join('\n')}`);
  }
}

function lineOf({ childId, reason, tookMs, undrained, isUnexpected }: ChildStopped): string {
  const how = typeof reason === 'string' ? reason : inspect(reason);
  const remark = isUnexpected ? ` (NOT CLEAN, with ${undrained} message(s) still queued)` : '';
  return `  ${childId} after ${Math.round(tookMs)} ms: ${how}${remark}`;
}

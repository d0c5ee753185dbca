import { Logger, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerModule,
  getGenServerToken,
  HandleCall,
  type Ok,
  ok,
  type Reply,
  reply,
} from 'nestjs-genserver';
import { rejectionOf } from '../support/thrown.js';

/** How often somebody asked for the state of a crashed server, in order to show it. */
let statesShown = 0;

@GenServer()
class Frail extends GenServerBase<null> {
  override init(): Ok<null> {
    return ok(null);
  }

  @HandleCall()
  ping(): Reply<string, null> {
    return reply('pong');
  }

  @HandleCall()
  crash(): Reply<string, null> {
    throw new Error('boom');
  }

  override formatStatus(): string {
    statesShown++;
    return 'as shown';
  }
}

@Module({ imports: [GenServerModule.forRoot({ onTreeExit: 'keep' })], providers: [Frail] })
class AppModule {}

function collectingLogger(): { readonly logger: LoggerService; readonly errors: string[] } {
  const errors: string[] = [];
  const ignore = (): void => undefined;
  const logger = { log: ignore, warn: ignore, debug: ignore, error: (line: string) => void errors.push(line) };
  return { logger, errors };
}

async function application(options: { readonly logger?: false; readonly bufferLogs?: boolean }) {
  statesShown = 0;
  const app = await NestFactory.createApplicationContext(AppModule, options);
  onTestFinished(() => app.close());
  const frail = app.get<GenServerClient<Frail>>(getGenServerToken(Frail));
  return { app, crash: () => rejectionOf(frail.crash()).then(() => frail.ping()) };
}

// What is set on Nest's logger holds for all applications.
afterEach(() => {
  Logger.flush();
  Logger.overrideLogger(false);
});

describe('the reports of an application', () => {
  // First: what was set on Nest's logger cannot be taken back.
  it('are written by the logger of Nest where nobody chose one', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => written.mockRestore());
    const other = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    onTestFinished(() => other.mockRestore());
    const { crash } = await application({});
    await crash();
    expect(written.mock.calls.map(([line]) => String(line)).join('')).toContain('CRASH REPORT');
  });

  it('are not even put together while it does not log, and are from when it does', async () => {
    const { app, crash } = await application({ logger: false });
    await crash();
    expect(statesShown).toBe(0);
    const { logger, errors } = collectingLogger();
    app.useLogger(logger);
    await crash();
    expect(statesShown).toBe(1);
    expect(errors).toEqual([
      expect.stringMatching(
        /^CRASH REPORT Frail .* crashed in crash: Error: boom\n {2}state: 'as shown'\n {2}last message: call crash\(\)$/,
      ),
    ]);
  });

  it('end when it stops logging', async () => {
    const { app, crash } = await application({ logger: false });
    const { logger, errors } = collectingLogger();
    app.useLogger(logger);
    app.useLogger(false);
    await crash();
    expect([statesShown, errors]).toEqual([0, []]);
  });

  it('reach a logger that comes later when lines are kept for it', async () => {
    const { app, crash } = await application({ logger: false, bufferLogs: true });
    await crash();
    const { logger, errors } = collectingLogger();
    app.useLogger(logger);
    app.flushLogs();
    expect(errors).toEqual([expect.stringMatching(/^CRASH REPORT Frail/)]);
  });
});

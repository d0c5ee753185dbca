import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import type { ManualClock } from '../../support/manual-clock.js';
import { type Http, http } from './http.js';

/** What stands in for a provider of the sample. */
export interface Override {
  readonly provider: Type;
  readonly value: object;
}

/** More than any server of the samples has for its shutdown. */
const LONGEST_SHUTDOWN_MS = 10_000;

/** A sample as users run it: listening, on a port of its own, closed when the test is done. */
export function boot(module: Type | DynamicModule, ...overrides: readonly Override[]): ReturnType<typeof bootTimed> {
  return bootTimed(undefined, module, ...overrides);
}

/**
 * The same with a clock that is turned by hand. It is turned while the sample closes: a server that waits for a service that the
 * test never answered would otherwise have for ever to drain.
 */
export async function bootTimed(
  clock: ManualClock | undefined,
  module: Type | DynamicModule,
  ...overrides: readonly Override[]
): Promise<{ readonly app: INestApplication; readonly http: Http }> {
  const builder = Test.createTestingModule({ imports: [module] });
  for (const { provider, value } of overrides) builder.overrideProvider(provider).useValue(value);
  const app = (await builder.compile()).createNestApplication({ logger: false });
  onTestFinished(async () => {
    const closed = app.close();
    await clock?.advance(LONGEST_SHUTDOWN_MS);
    await closed;
  });
  await app.listen(0);
  return { app, http: http(await app.getUrl()) };
}

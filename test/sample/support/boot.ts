import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import { type Http, http } from './http.js';

/** What stands in for a provider of the sample. */
export interface Override {
  readonly provider: Type;
  readonly value: object;
}

/** A sample as users run it: listening, on a port of its own, closed when the test is done. */
export async function boot(
  module: Type | DynamicModule,
  ...overrides: readonly Override[]
): Promise<{ readonly app: INestApplication; readonly http: Http }> {
  const builder = Test.createTestingModule({ imports: [module] });
  for (const { provider, value } of overrides) builder.overrideProvider(provider).useValue(value);
  const app = (await builder.compile()).createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.listen(0);
  return { app, http: http(await app.getUrl()) };
}

import { GENSERVER_OPTION_OVERRIDES } from '../nest/gen-server.constants.js';
import type { GenServerModuleOptions } from '../nest/gen-server.options.js';
import type { ManualClock } from './manual-clock.js';

/** What is needed of Nest's `TestingModuleBuilder`. */
export interface OverridesProviders {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Nest declares it
  overrideProvider(token: any): { useValue(value: any): unknown };
}

/**
 * Gives an application under test a clock that is turned by hand, whatever its modules say, and lets the test's Node process live
 * when its tree gives up (`onTreeExit: 'keep'`). Gives the builder back.
 *
 * Close such an application with {@link closeWith}: a server that hangs has `shutdownMs` to end, on a clock that stands still.
 *
 * @example
 * ```ts no-run: an excerpt of a test
 * const clock = new ManualClock();
 * const builder = Test.createTestingModule({ imports: [AppModule] });
 * const app = await withManualClock(builder, clock).compile();
 * await app.init();
 * onTestFinished(() => closeWith(clock, app));
 * ```
 *
 * @publicApi
 */
export function withManualClock<B extends OverridesProviders>(builder: B, clock: ManualClock): B {
  const overrides: GenServerModuleOptions = { clock, onTreeExit: 'keep' };
  builder.overrideProvider(GENSERVER_OPTION_OVERRIDES).useValue(overrides);
  return builder;
}

/**
 * Closes an application, or whatever can be closed, and turns its clock as far as that takes. Rejects as `close()` does.
 *
 * @publicApi
 */
export async function closeWith(clock: ManualClock, application: { close(): PromiseLike<unknown> }): Promise<void> {
  await clock.advanceUntil(application.close(), Infinity);
}

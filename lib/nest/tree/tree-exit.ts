import { type ModulesContainer, NestApplicationContext, type NestContainer } from '@nestjs/core';
import type { Clock } from '../../runtime/ports.js';
import { moduleRefOf } from '../discovery/nest-container.js';

/** How long Nest's hooks, and other listeners for SIGTERM, may take before the Node process ends without them. */
const GRACE_MS = 30_000;
const SIGNAL = 'SIGTERM';

/** An application whose tree has given up. */
export interface DoomedApplication {
  readonly clock: Clock;
  readonly modules: ModulesContainer;
  /** Whether its hooks have begun to run, regardless of what called them. */
  isClosing(): boolean;
}

/**
 * Ends the Node process with exit code 1, as the death of a permanent OTP application would, after Nest's hooks have run. An
 * application that enabled Nest's shutdown hooks, or closes itself, listens to SIGTERM, and Nest raises it again when it is done. If the
 * application does not listen, or its listeners exceed the time limit, the hooks are called here.
 */
export function shutDownApplication(application: DoomedApplication): void {
  process.exitCode = 1;
  if (process.listenerCount(SIGNAL) === 0) {
    void closeAndExit(application);
    return;
  }
  application.clock.setTimer(GRACE_MS, () => void closeAndExit(application)).unref();
  // Nothing else keeps Node alive, so nothing is left to close the application.
  process.once('beforeExit', () => void closeAndExit(application));
  let isFirst = true;
  process.on(SIGNAL, () => {
    // We raise the first signal, for Nest. Nest raises the second when it is done, which would end the process with the signal's exit code.
    if (isFirst) isFirst = false;
    else process.exit(1);
  });
  process.kill(process.pid, SIGNAL);
}

async function closeAndExit(application: DoomedApplication): Promise<void> {
  try {
    if (!application.isClosing()) {
      application.clock.setTimer(GRACE_MS, () => process.exit(1)).unref();
      await closing(application.modules);
    }
  } finally {
    process.exit(1);
  }
}

/** Calls the hooks as the application's `close()` does. No provider can get hold of the application, but its container is available. */
async function closing(modules: ModulesContainer): Promise<void> {
  const [module] = modules.values();
  const { container } = moduleRefOf(module!) as unknown as { readonly container: NestContainer };
  await new ClosingContext(container).close(SIGNAL);
}

class ClosingContext extends NestApplicationContext {
  protected override async dispose(): Promise<void> {
    await this.container.getHttpAdapterRef()?.close();
  }
}

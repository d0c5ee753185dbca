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
  /** Whether its hooks have begun to run, whoever has called them. */
  isClosing(): boolean;
}

/**
 * Ends the Node process with exit code 1, as the death of a permanent OTP application would, when the hooks of Nest have run. An
 * application that enabled Nest's shutdown hooks, or closes itself, listens to SIGTERM, and Nest raises it again when it is done. The
 * hooks of one that does not listen are called here, and so are those of one whose listeners let the time pass.
 */
export function shutDownApplication(application: DoomedApplication): void {
  process.exitCode = 1;
  if (process.listenerCount(SIGNAL) === 0) {
    void closeAndExit(application);
    return;
  }
  application.clock.setTimer(GRACE_MS, () => void closeAndExit(application)).unref();
  // Nothing else keeps Node alive, so nobody is going to close it.
  process.once('beforeExit', () => void closeAndExit(application));
  let isFirst = true;
  process.on(SIGNAL, () => {
    // The first signal is ours and meant for Nest. The second is Nest's farewell, which would end us with the code of the signal.
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

/** Calls the hooks as `close()` of the application does, which no provider can get hold of; its container can be had. */
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

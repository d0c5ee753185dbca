import { serverOf } from '../gen-server/process/process-handle.js';
import type { Self } from '../gen-server/self.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { Pid } from '../runtime/pid.js';
import { print } from '../runtime/secrets/print.js';
import { type Process, processOf } from '../runtime/process.js';
import type { Runtime } from '../runtime/runtime.js';
import { isInstanceOf } from '../runtime/secrets/inspect-safely.js';

// Who may do what follows OTP. What a process does for itself there (register, subscribe, hold a lock) takes its `self` here,
// which no other process has: so only a process registers itself, and an abandoned handler does nothing. What OTP lets any process do
// for any process (join a group, be present) takes its pid.

/** The process that acts, or undefined when nothing that it does may have an effect any more. */
export function actingProcess(runtime: Runtime, self: Self): Process | undefined {
  const process = serverOf(self);
  assertSameWorld(runtime, process);
  return process.isFenced ? undefined : process;
}

/** The process that a pid stands for, or undefined when it has ended. */
export function livingProcess(runtime: Runtime, pid: Pid): Process | undefined {
  if (!isInstanceOf(pid, Pid)) throw new InvalidArgumentError(`Expected a pid, got: ${print(pid)}`);
  const process = processOf(pid);
  if (process === undefined) return undefined;
  assertSameWorld(runtime, process);
  return process.isAlive ? process : undefined;
}

function assertSameWorld(runtime: Runtime, process: Process): void {
  if (process.runtime === runtime) return;
  throw new InvalidArgumentError(
    `${process.label} ${process.pid.toString()} is a process of another runtime. Two runtimes know nothing of each other: ` +
      'use a registry, a process group or a PubSub of its own.',
  );
}

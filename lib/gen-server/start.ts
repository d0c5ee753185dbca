import type { Registration, ServerName } from '../runtime/registration.js';
import { register } from '../runtime/registration.js';
import { assertMaxMailbox, type MaxMailbox } from '../runtime/bounded-mailbox.js';
import { assertDurationMs, InvalidArgumentError } from '../runtime/errors.js';
import { print } from '../runtime/print.js';
import { linkToParent } from '../runtime/links.js';
import { Pid } from '../runtime/pid.js';
import type { Process } from '../runtime/process.js';
import type { Runtime } from '../runtime/runtime.js';
import { GenServerProcess, type InitArguments, type StartOutcome } from './gen-server-process.js';
import { StartError } from './errors.js';
import type { ServerSource } from './server-definition.js';

/** How a server is started. */
export interface StartOptions {
  /** What to be found by. Taken before `init` runs (I8). Default: none. */
  readonly name?: ServerName | undefined;
  /**
   * The arguments of `init`, evaluated once and reused by every incarnation (S23), or a function that makes them anew for
   * each. Default: none.
   */
  readonly args?: InitArguments | undefined;
  /** How long making the instance and `init` may take, in milliseconds. Default: Infinity. */
  readonly startTimeoutMs?: number | undefined;
  /** Turns exit signals of others than the parent into `Exit` messages. Default: false. */
  readonly trapExit?: boolean | undefined;
  /**
   * Whether the server finishes its queue and runs `terminate` when its parent stops it, also without `trapExit`.
   * Default: true; false gives OTP's instant death.
   */
  readonly drain?: boolean | undefined;
  /** `'clone'` copies arguments and replies, so that nobody shares memory with the server. Default: `'none'`. */
  readonly isolation?: 'none' | 'clone' | undefined;
  /**
   * Ends the process with reason `{ shutdown: 'idle' }` when its mailbox has been empty for so many milliseconds and nobody waits
   * for an answer. Default: Infinity.
   */
  readonly idleMs?: number | undefined;
  /**
   * How many calls, casts and sent messages may wait, and what happens to the rest. What the system has to say always fits.
   * Default: any number.
   */
  readonly maxMailbox?: MaxMailbox | undefined;
}

/** A process that has been made and is about to run its `init`. */
export interface Spawned {
  readonly process: GenServerProcess;
  /** Settles once: when `init` is done, or will never be. Does not reject. */
  readonly outcome: Promise<StartOutcome>;
}

/** Who starts a process and what it continues. */
export interface Lineage {
  readonly parent?: Process | null;
  /** The incarnation before this one: the pid keeps its id. */
  readonly predecessor?: Pid | undefined;
}

/**
 * Makes a process, takes its name, links it to its parent, and lets it run `init` in the loop. Throws, with nothing left
 * behind, when the name is taken or an option makes no sense.
 */
export function spawn(
  runtime: Runtime,
  source: ServerSource,
  given: StartOptions = {},
  { parent = null, predecessor }: Lineage = {},
): Spawned {
  const options = { ...source.defaults, ...given };
  const startTimeoutMs = options.startTimeoutMs ?? Infinity;
  assertDurationMs(startTimeoutMs, `startTimeoutMs of ${source.definition.label}`, true);
  if (options.idleMs !== undefined) assertDurationMs(options.idleMs, `idleMs of ${source.definition.label}`, true);

  assertStartOptions(options, source.definition.label);
  const { maxMailbox } = options;
  if (maxMailbox !== undefined) assertMaxMailbox(maxMailbox, `maxMailbox of ${source.definition.label}`);

  let settle!: (outcome: StartOutcome) => void;
  const outcome = new Promise<StartOutcome>((resolve) => {
    settle = resolve;
  });
  const process = new GenServerProcess(
    runtime,
    predecessor?.id ?? runtime.nextProcessId(),
    predecessor === undefined ? 0 : predecessor.incarnation + 1,
    parent,
    source,
    {
      args: options.args ?? NO_ARGUMENTS,
      startTimeoutMs,
      isolation: options.isolation ?? 'none',
      idleMs: options.idleMs ?? Infinity,
      maxMailbox,
    },
    settle,
  );
  process.trapsExits = options.trapExit ?? false;
  process.drains = options.drain ?? true;
  if (options.name !== undefined) process.registration = registerNew(runtime, options.name, process);
  if (parent !== null) linkToParent(process);
  runtime.add(process);
  process.begin();
  return { process, outcome };
}

/** Starts a server and gives its pid when `init` is done (I1), or rejects with {@link StartError}. */
export async function start(
  runtime: Runtime,
  source: ServerSource,
  options?: StartOptions,
  lineage?: Lineage,
): Promise<Pid> {
  const { process, outcome } = spawn(runtime, source, options, lineage);
  const result = await outcome;
  if (result.status === 'ok') return process.pid;
  throw startErrorOf(process, result);
}

/** Why a start failed, as whoever asked for it may know. */
export function startErrorOf(
  { runtime, label }: { readonly runtime: Runtime; readonly label: string },
  outcome: Exclude<StartOutcome, { readonly status: 'ok' }>,
): StartError {
  if (outcome.status === 'ignore') return new StartError(label, 'ignore');
  const { redaction } = runtime;
  return new StartError(label, redaction.reason(outcome.reason), redaction.reason(outcome.cause ?? outcome.reason));
}

/** Refuses what no compiler has seen: options that come from JavaScript, or from a configuration. */
function assertStartOptions({ args, trapExit, drain, isolation }: StartOptions, label: string): void {
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw new InvalidArgumentError(`${option} of ${label} must be ${expected}, got: ${print(got)}`);
  };
  if (args !== undefined && !Array.isArray(args) && typeof args !== 'function') {
    refuse('args', 'an array of the arguments of init, or a function that returns one', args);
  }
  if (trapExit !== undefined && typeof trapExit !== 'boolean') refuse('trapExit', 'true or false', trapExit);
  if (drain !== undefined && typeof drain !== 'boolean') refuse('drain', 'true or false', drain);
  if (isolation !== undefined && isolation !== 'none' && isolation !== 'clone') {
    refuse('isolation', "'none' or 'clone'", isolation);
  }
}

const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

function registerNew(runtime: Runtime, name: ServerName, process: GenServerProcess): Registration {
  try {
    return register(runtime, name, process.pid);
  } catch (error) {
    Pid.attach(process.pid, undefined);
    throw error;
  }
}

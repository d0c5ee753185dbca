import { InvalidArgumentError } from '../../runtime/errors.js';
import { print } from '../../runtime/secrets/print.js';
import type { GenServerProcess } from './gen-server-process.js';

/** A handle of one incarnation of a process: the base class of its `self`. */
export abstract class ProcessHandle {
  // A private field of the language, so that logging or comparing a `self` never walks into the runtime.
  readonly #server: GenServerProcess;

  /** @internal */
  constructor(server: GenServerProcess) {
    this.#server = server;
  }

  /** The process that a handle belongs to. Throws `InvalidArgumentError` if the value is not a handle. @internal */
  static serverOf(handle: ProcessHandle): GenServerProcess {
    if (typeof handle === 'object' && handle !== null && #server in handle) return handle.#server;
    throw new InvalidArgumentError(`Expected the self of a process (in a server: this.self), got: ${print(handle)}`);
  }
}

/** The process that a `self` belongs to, for code that acts on its behalf. */
export function serverOf(handle: ProcessHandle): GenServerProcess {
  return ProcessHandle.serverOf(handle);
}

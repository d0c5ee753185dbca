import type { Pid } from '../../runtime/pid.js';
import type { ChildCounts } from '../../supervision/child.js';
import type { GenServerClient } from './gen-server-client.js';

/** The parameters of a server's `init`; any, when the server does not define `init`. */
export type InitParameters<T> = T extends { init(...args: infer A): unknown } ? A : unknown[];

/** One process of a keyed server. @publicApi */
export interface KeyedChildInfo {
  readonly pid: Pid;
  /** Absent for an anonymous one. */
  readonly key: unknown;
  readonly status: 'running' | 'restarting';
}

/** What to start. @publicApi */
export interface KeyedChildSpec<T> {
  /** The key that it is found by. Without one it is anonymous, and reachable only by its pid. */
  readonly key?: unknown;
  /** The arguments of `init`. */
  readonly args?: InitParameters<T>;
}

/**
 * The supervisor of a server that is started on demand: one process per key.
 *
 * @publicApi
 */
export interface DynamicSupervisorClient<T> {
  /**
   * Starts a process and resolves with its pid when `init` is done. Rejects with `AlreadyStartedError` naming the holder when the key is
   * taken, with `MaxChildrenError`, or with `StartError`.
   */
  startChild(spec?: KeyedChildSpec<T>): Promise<Pid>;
  /**
   * A client of the process of a key, which is started first when there is none: one process for any number of concurrent
   * callers. The client stays bound to key and arguments: each send starts the process again if it has gone idle, and what
   * arrives while an old one is ending waits for the new one, in order. Rejects with `StartError` or `MaxChildrenError`.
   */
  getOrStart(key: unknown, ...args: InitParameters<T>): Promise<GenServerClient<T>>;
  /** A client of the process that holds the key when a message is sent. Calls reject with `NoProcessError` when none does. */
  client(key: unknown): GenServerClient<T>;
  /** Stops a process, by pid or key, and forgets it. Rejects with `ChildStateError` when there is none. */
  terminateChild(child: Pid | { readonly key: unknown }): Promise<void>;
  /** The processes, in the order they were started. */
  whichChildren(): readonly KeyedChildInfo[];
  countChildren(): ChildCounts;
}

/** A value of the same name, so that decorated constructors may mention the type under `isolatedModules` (TS1272). */
export const DynamicSupervisorClient = Object;

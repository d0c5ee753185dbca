import type { RuntimeEvent } from '../runtime/ports.js';

/** A function that listens to a registry, a topic or presences threw, and hears nothing any more. */
export interface RegistryListenerDetached extends RuntimeEvent {
  readonly type: 'registry.listener_detached';
  /** What it listened to, as printed. */
  readonly source: string;
  readonly error: unknown;
}

/** What another node broadcast could not be delivered here. It is lost on this node. */
export interface BroadcastDropped extends RuntimeEvent {
  readonly type: 'registry.broadcast_dropped';
  readonly topic: string;
  readonly error: unknown;
}

export type RegistryRoomEvent = RegistryListenerDetached | BroadcastDropped;

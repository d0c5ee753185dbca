import type {
  ArgumentsRefused,
  CastDropped,
  CrashReport,
  DeadLettersLeft,
  Hibernated,
  LiveStateShared,
  MailboxHighWater,
  MessageShed,
  UnexpectedMessage,
} from '../gen-server/events.js';
import type { TaskCrashed } from '../gen-server/tasks/task-process.js';
import type { RegistryRoomEvent } from '../registry/events.js';
import type { EventSink, RuntimeEvent } from '../runtime/ports.js';
import type { NameNotReleased, ProcessExited, ProcessSpawned } from '../runtime/runtime.js';
import type { SupervisionEvent } from '../supervision/events.js';

/** A listener threw and hears nothing any more. */
export interface ListenerDetached extends RuntimeEvent {
  readonly type: 'observability.listener_detached';
  /** The event it was told of when it threw, or the Observable that it subscribed to. */
  readonly during: string;
  readonly error: unknown;
}

/** Tells that a listener was detached, unless nobody wants to know. */
export function reportDetachedListener(events: EventSink, during: string, error: unknown): void {
  if (!events.wants('observability.listener_detached')) return;
  const event: ListenerDetached = { type: 'observability.listener_detached', during, error };
  events.emit(event);
}

/**
 * Everything that the library reports, as a union to switch on by `type`.
 *
 * @publicApi
 */
export type GenServerEvent =
  | ProcessSpawned
  | ProcessExited
  | NameNotReleased
  | CrashReport
  | UnexpectedMessage
  | LiveStateShared
  | Hibernated
  | ArgumentsRefused
  | CastDropped
  | DeadLettersLeft
  | MailboxHighWater
  | MessageShed
  | TaskCrashed
  | SupervisionEvent
  | RegistryRoomEvent
  | ListenerDetached;

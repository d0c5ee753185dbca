// The core without NestJS, in OTP's own form: behaviours are objects of callbacks, worlds are made by hand.

export { createWorld, type RuntimeOptions, type World } from './create-runtime.js';
export type { Behaviour } from './gen-server/behaviour.js';
export { error, ignore, noReply, ok, reply, replyError, stop } from './gen-server/results/callback-result.js';
export { ReplyStream, type ReplyStreamOptions, replyStream } from './gen-server/streams/reply-stream.js';
export type {
  ObservableLike,
  StreamItems,
  StreamObserver,
  StreamSource,
} from './gen-server/streams/reply-stream-source.js';
export type { From } from './gen-server/process/from.js';
export { GenServer } from './gen-server/gen-server.js';
export { type ConfigChange, configChange } from './gen-server/client/config-change.js';
export type { Statistics } from './gen-server/process/debugging.js';
export {
  type CodeChangeOptions,
  type ServerStatus,
  sys,
  type Sys,
  type SysOptions,
  type TraceOptions,
} from './gen-server/client/sys.js';
export type { Trace, TraceEntry } from './gen-server/process/trace.js';
export type { Self } from './gen-server/self.js';
export { TaskResult, Timeout } from './gen-server/results/messages.js';
export { Agent, type AgentOptions } from './gen-server/agent.js';
export { Task } from './gen-server/tasks/task.js';
export type { TaskFunction, TaskOutcome } from './gen-server/tasks/task-process.js';
export type { StreamInput, TaskStreamOptions, TaskStreamOutcome } from './gen-server/tasks/task-stream.js';
export type { StartOptions } from './gen-server/definition/start-options.js';
export type { MaxMailbox, Overflow } from './runtime/mailbox/bounded-mailbox.js';
export {
  CallCycleError,
  CallingSelfError,
  OverloadedError,
  StreamAlreadyReadError,
  StreamNotBegunError,
  StreamOverflowError,
  TaskExitError,
  TaskOwnerError,
  TaskTimeoutError,
} from './gen-server/errors.js';
export { LimitExceededError, type ProcessLimits } from './runtime/limits.js';
export { Down, Exit } from './runtime/exits/messages.js';
export { Pid, Ref } from './runtime/pid.js';
export { type ExitReason, isCleanExit } from './runtime/exits/exit-reason.js';
export type { Runtime } from './runtime/runtime.js';
export { childSpec, type ChildId, type ChildSpec } from './supervision/child-spec.js';
export { startSupervisor, Supervisor, supervisorChildSpec, type SupervisorSpec } from './supervision/supervisor.js';
export type { ChildCounts, ChildInfo } from './supervision/child.js';
export {
  DynamicSupervisor,
  dynamicSupervisorChildSpec,
  type DynamicSupervisorSpec,
  startDynamicSupervisor,
} from './supervision/dynamic-supervisor.js';
export type { DynamicChildSpec, DynamicSupervisorOptions } from './supervision/dynamic-child-spec.js';
export type { DynamicChildInfo } from './supervision/dynamic-supervisor-server.js';
export { taskChildSpec } from './supervision/task-child-spec.js';
export { TaskSupervisor, type TaskSupervisorSpec } from './supervision/task-supervisor.js';
export {
  partitionOf,
  PartitionSupervisor,
  type PartitionSupervisorSpec,
  startPartitionSupervisor,
} from './supervision/partition-supervisor.js';
export {
  AlreadyRegisteredError,
  AlreadyTrackedError,
  NoPresenceError,
  UnknownRegistryError,
} from './registry/errors.js';
export { GroupJoined, GroupLeft, KeyRegistered, KeyUnregistered } from './registry/messages.js';
export {
  Presence,
  PresenceDiff,
  type PresenceDiffs,
  type PresenceList,
  type PresenceMeta,
} from './registry/presence.js';
export { ProcessGroups } from './registry/process-groups.js';
export {
  type BroadcastReceiver,
  LocalPubSubAdapter,
  type PubSubAdapter,
  type TopicBroadcast,
} from './registry/pub-sub-adapter.js';
export {
  type BroadcastOptions,
  type Dispatcher,
  PubSub,
  type PubSubOptions,
  type Subscription,
} from './registry/pub-sub.js';
export { Registries } from './registry/registries.js';
export {
  type KeyedRegistryEntry,
  Registry,
  type RegistryEntry,
  type RegistryNews,
  type RegistryOptions,
} from './registry/registry.js';

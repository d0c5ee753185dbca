// The public door, grouped by what a reader wants to do.

// Write a server
export { GenServer } from './nest/decorators/gen-server.decorator.js';
export { HandleCall, type HandleCallOptions } from './nest/decorators/handle-call.decorator.js';
export { HandleCast, type HandleCastOptions } from './nest/decorators/handle-cast.decorator.js';
export { HandleContinue } from './nest/decorators/handle-continue.decorator.js';
export { Redact, type RedactDecorator } from './nest/decorators/redact.decorator.js';
export { HandleInfo } from './nest/decorators/handle-info.decorator.js';
export { GenServerBase } from './gen-server/gen-server-base.js';
export { From } from './gen-server/process/from.js';
export type { Self } from './gen-server/self.js';
export type { GenServerOptions } from './nest/gen-server.options.js';
export type { InitArguments } from './gen-server/definition/start-options.js';

export {
  type ArgumentSchemas,
  type MadeFrom,
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
  Validated,
} from './gen-server/schema/standard-schema.js';

// Answer
export { CallResult, CastResult, InitResult } from './gen-server/results/result-types.js';
export { error, ignore, noReply, ok, reply, replyError, stop } from './gen-server/results/callback-result.js';
export { ReplyStream, type ReplyStreamOptions, replyStream } from './gen-server/streams/reply-stream.js';
export type {
  ObservableLike,
  StreamItems,
  StreamObserver,
  StreamSource,
} from './gen-server/streams/reply-stream-source.js';
// What the functions above give: declaration files of exported servers name these.
export type {
  Ignore,
  InitError,
  Later,
  Modifiers,
  NoReply,
  Ok,
  Reply,
  ReplyError,
  Stop,
  StopReply,
} from './gen-server/results/callback-result.js';

// Receive
export { TaskResult, Timeout } from './gen-server/results/messages.js';
export { Down, Exit } from './runtime/exits/messages.js';

// Use a server
export { getGenServerToken, InjectGenServer, type ServerReference } from './nest/injection/inject-gen-server.js';
export { type ClientOptions, GenServerClient } from './nest/clients/gen-server-client.js';
export { GenServerRuntime, type Monitoring } from './nest/gen-server-runtime.js';
export type { CallOptions } from './gen-server/client/client.js';
export type { StartOptions } from './gen-server/definition/start-options.js';
export type { MaxMailbox, Overflow } from './runtime/mailbox/bounded-mailbox.js';
export type { Addressed, Destination } from './gen-server/client/destination.js';
export { Pid, Ref } from './runtime/pid.js';
export { TimerRef } from './runtime/timers.js';
export type { ServerName } from './runtime/server-name.js';

// Find processes, gather them, tell many of them something
export { getRegistryToken, InjectRegistry } from './nest/injection/inject-registry.js';
export { provideRegistry } from './nest/providers/provide-registry.js';
export {
  type KeyedRegistryEntry,
  Registry,
  type RegistryEntry,
  type RegistryNews,
  type RegistryOptions,
} from './registry/registry.js';
export { GroupJoined, GroupLeft, KeyRegistered, KeyUnregistered } from './registry/messages.js';
export { ProcessGroups } from './registry/process-groups.js';
export { PubSub } from './nest/clients/pub-sub.js';
export { PubSubModule, type PubSubModuleOptions } from './nest/pub-sub.module.js';
export type { BroadcastOptions, Dispatcher, Subscription } from './registry/pub-sub.js';
export {
  Presence,
  PresenceDiff,
  type PresenceDiffs,
  type PresenceList,
  type PresenceMeta,
} from './registry/presence.js';

// Do something outside of the mailbox
export { Agent, type AgentOptions } from './gen-server/agent.js';
export { Task } from './gen-server/tasks/task.js';
export type { TaskFunction, TaskOutcome } from './gen-server/tasks/task-process.js';
export type { StreamInput, TaskStreamOptions, TaskStreamOutcome } from './gen-server/tasks/task-stream.js';
export { TaskSupervisor } from './nest/tree/task-supervisor.js';
export { toObservable } from './nest/transport/to-observable.js';

// Wire an application
export { GenServerModule } from './nest/gen-server.module.js';
export type { GenServerModuleOptions, OnTreeExit } from './nest/gen-server.options.js';
export { provideGenServer } from './nest/providers/provide-gen-server.js';
export { GenServerExceptionFilter } from './nest/transport/gen-server-exception.filter.js';
export type { StopReport, TreeStatus } from './nest/tree/application-supervisor.js';

// Supervise
export { Supervisor } from './nest/decorators/supervisor.decorator.js';
export { getDynamicSupervisorToken, InjectDynamicSupervisor } from './nest/injection/inject-dynamic-supervisor.js';
export {
  DynamicSupervisorClient,
  type InitParameters,
  type KeyedChildInfo,
  type KeyedChildSpec,
} from './nest/clients/dynamic-supervisor-client.js';
export { type ChildOptions, ModuleSupervisor } from './nest/tree/module-supervisor.js';
export type { ChildCounts, ChildInfo } from './supervision/child.js';
export type { DynamicSupervisorOptions } from './supervision/dynamic-child-spec.js';
export type { SupervisorOptions } from './supervision/supervisor-options.js';
export type { Strategy } from './supervision/strategies.js';
export type { Restart } from './supervision/restart-policy.js';
export type { ChildId, ChildSpec, Shutdown } from './supervision/child-spec.js';

// Look inside, and change while it runs
export type { CodeChangeResult } from './gen-server/results/callback-result.js';
export type { ConfigChange } from './gen-server/client/config-change.js';
export type { Statistics } from './gen-server/process/debugging.js';
export type { CodeChangeOptions, ServerStatus, Sys, SysOptions, TraceOptions } from './gen-server/client/sys.js';
export type { Trace, TraceEntry } from './gen-server/process/trace.js';

// Understand what happened
export { ExitReason, isCleanExit } from './runtime/exits/exit-reason.js';
export type { GenServerEvent } from './observability/events.js';
export { prettyPrint, type ProcessTree } from './observability/process-inspector.js';
export { LimitExceededError, type ProcessLimits } from './runtime/limits.js';
export { AlreadyStartedError, GenServerError, InvalidArgumentError } from './runtime/errors.js';
export {
  BadReturnValueError,
  CallCycleError,
  CallingSelfError,
  CallTimeoutError,
  CodeChangeError,
  NoProcessError,
  OverloadedError,
  ServerExitedError,
  StartError,
  StreamAlreadyReadError,
  StreamNotBegunError,
  StreamOverflowError,
  TaskExitError,
  TaskOwnerError,
  TaskTimeoutError,
  UndefinedCallbackError,
  UnknownHandlerError,
} from './gen-server/errors.js';
export { ChildStartError, ChildStateError, MaxChildrenError, SupervisorConfigError } from './supervision/errors.js';
export {
  AlreadyRegisteredError,
  AlreadyTrackedError,
  NoPresenceError,
  UnknownRegistryError,
} from './registry/errors.js';
export { type ArgumentIssue, ArgumentsRefusedError } from './gen-server/arguments-refused-error.js';
export { GenServerConfigError, type GenServerMistake } from './nest/errors.js';

// Bring your own
export type { Clock, NameService, TimerHandle, ViaRegistry } from './runtime/ports.js';
export {
  type BroadcastReceiver,
  LocalPubSubAdapter,
  type PubSubAdapter,
  type TopicBroadcast,
} from './registry/pub-sub-adapter.js';

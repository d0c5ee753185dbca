// The core without NestJS, in OTP's own form: behaviours are objects of callbacks, worlds are made by hand.

export { createWorld, type RuntimeOptions, type World } from './create-runtime.js';
export type { Behaviour } from './gen-server/behaviour.js';
export { error, ignore, noReply, ok, reply, replyError, stop } from './gen-server/callback-result.js';
export type { From } from './gen-server/from.js';
export { GenServer } from './gen-server/gen-server.js';
export type { Self } from './gen-server/self.js';
export { Timeout } from './gen-server/messages.js';
export { Down, Exit } from './runtime/messages.js';
export { Pid, Ref } from './runtime/pid.js';
export { type ExitReason, isCleanExit } from './runtime/exit-reason.js';
export type { Runtime } from './runtime/runtime.js';
export { childSpec, type ChildId, type ChildSpec } from './supervision/child-spec.js';
export {
  startSupervisor,
  Supervisor,
  supervisorChildSpec,
  type SupervisorSpec,
} from './supervision/supervisor-source.js';
export type { ChildCounts, ChildInfo } from './supervision/supervisor.js';

import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { ConfigChange } from './client/config-change.js';
import { UndefinedCallbackError } from './errors.js';
import type { From } from './process/from.js';
import { GenServerBase } from './gen-server-base.js';
import type { Self } from './self.js';
import { Handler, InfoHandlers, type ServerDefinition, type ServerBlueprint } from './definition/server-definition.js';

/**
 * A server in OTP's own form: an object of callbacks that take the state as an argument and return results. Every member is optional. The
 * core runs behaviours without NestJS; a decorated class is the same thing with one handler per request.
 */
export interface Behaviour {
  /** The name in errors and events. Default: `'behaviour'`. */
  readonly label?: string;
  /** Absent: the first argument is the state (I12). */
  init?(args: readonly unknown[], self: Self): unknown;
  /** Absent: a call crashes the server (R8). */
  handleCall?(request: unknown, from: From<unknown>, state: unknown, self: Self): unknown;
  /** Absent: a cast crashes the server (R8). */
  handleCast?(request: unknown, state: unknown, self: Self): unknown;
  /** Absent: the message is reported and dropped (R8). */
  handleInfo?(message: unknown, state: unknown, self: Self): unknown;
  /** Absent: a continue crashes the server (R10). */
  handleContinue?(tag: unknown, args: readonly unknown[], state: unknown, self: Self): unknown;
  terminate?(reason: ExitReason, state: unknown): unknown;
  formatStatus?(state: unknown): unknown;
  /** The version of the code, for `codeChange`. */
  readonly version?: string | number;
  /** Returns `ok(state)` or `error(reason)`. Absent: `sys.changeCode` is refused (Y6). */
  codeChange?(oldVersion: string | number | undefined, state: unknown, extra: unknown): unknown;
  /** Absent: the server does not hear of configuration changes (AP5). */
  handleConfigChange?(change: ConfigChange, state: unknown, self: Self): unknown;
}

/** The server instance that runs a behaviour: it passes the state to the callbacks. */
abstract class BehaviourHost extends GenServerBase<unknown> {
  protected abstract readonly behaviour: Behaviour;

  call(request: unknown): unknown {
    if (this.behaviour.handleCall === undefined) throw this.undefinedCallback('handleCall');
    return this.behaviour.handleCall(request, this.from(), this.state, this.self);
  }

  cast(request: unknown): unknown {
    if (this.behaviour.handleCast === undefined) throw this.undefinedCallback('handleCast');
    return this.behaviour.handleCast(request, this.state, this.self);
  }

  info(message: unknown): unknown {
    return this.behaviour.handleInfo!(message, this.state, this.self);
  }

  configChange(
    changed: ConfigChange['changed'],
    added: ConfigChange['added'],
    removed: ConfigChange['removed'],
  ): unknown {
    return this.behaviour.handleConfigChange!({ changed, added, removed }, this.state, this.self);
  }

  continue(tag: unknown, ...args: unknown[]): unknown {
    if (this.behaviour.handleContinue === undefined) throw this.undefinedCallback('handleContinue');
    return this.behaviour.handleContinue(tag, args, this.state, this.self);
  }

  private undefinedCallback(name: string): UndefinedCallbackError {
    return new UndefinedCallbackError(labelOf(this.behaviour), name);
  }
}

/**
 * Makes the class whose instances run one behaviour. It has the optional callbacks that the behaviour has, on the prototype, because there
 * may be a hundred thousand instances.
 */
function hostOf(behaviour: Behaviour): new () => BehaviourHost {
  class Host extends BehaviourHost {
    protected get behaviour(): Behaviour {
      return behaviour;
    }
  }
  const { prototype } = Host;
  if (behaviour.init !== undefined) {
    prototype.init = function (this: Host, ...args) {
      return behaviour.init!(args, this.self) as never;
    };
  }
  if (behaviour.terminate !== undefined) {
    prototype.terminate = function (this: Host, reason) {
      return behaviour.terminate!(reason, this.state) as Promise<void>;
    };
  }
  if (behaviour.codeChange !== undefined) {
    prototype.codeChange = (oldVersion, state, extra) =>
      behaviour.codeChange!(oldVersion as string, state, extra) as never;
  }
  if (behaviour.formatStatus !== undefined) prototype.formatStatus = (state) => behaviour.formatStatus!(state);
  return Host;
}

function labelOf({ label = 'behaviour' }: Behaviour): string {
  return label;
}

const NO_HANDLERS: ReadonlyMap<string | symbol, Handler> = new Map();
// eslint-disable-next-line @typescript-eslint/unbound-method -- an invocation calls them on its instance
const { call, cast, info, continue: runContinue, configChange } = BehaviourHost.prototype;

/** The blueprint by which the runtime runs a behaviour. */
export function blueprintOfBehaviour(behaviour: Behaviour): ServerBlueprint {
  let blueprint = blueprints.get(behaviour);
  if (blueprint === undefined) blueprints.set(behaviour, (blueprint = makeBlueprint(behaviour)));
  return blueprint;
}

/** One blueprint per behaviour, because a hundred thousand processes may run the same one. */
const blueprints = new WeakMap<Behaviour, ServerBlueprint>();

function makeBlueprint(behaviour: Behaviour): ServerBlueprint {
  const Host = hostOf(behaviour);
  const infos = new InfoHandlers();
  if (behaviour.handleInfo !== undefined) infos.add(undefined, new Handler('handleInfo', info));
  const definition: ServerDefinition = {
    label: labelOf(behaviour),
    calls: NO_HANDLERS,
    casts: NO_HANDLERS,
    continues: NO_HANDLERS,
    infos,
    anyCall: new Handler('handleCall', call),
    anyCast: new Handler('handleCast', cast),
    anyContinue: new Handler('handleContinue', runContinue),
    isReplyError: () => false,
    ...(behaviour.version === undefined ? {} : { version: behaviour.version }),
    ...(behaviour.handleConfigChange === undefined
      ? {}
      : { configChange: new Handler('handleConfigChange', configChange) }),
  };
  return { definition, create: () => new Host() };
}

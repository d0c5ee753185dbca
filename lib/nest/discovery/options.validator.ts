import type { GenServerModuleOptions, GenServerOptions } from '../gen-server.options.js';
import * as messages from '../gen-server.messages.js';
import { completeDynamicSupervisorOptions } from '../../supervision/dynamic-child-spec.js';
import { isStandardSchema } from '../../gen-server/schema/standard-schema.js';
import { findOptionFault } from '../../gen-server/definition/start-options.js';
import { isTimeoutMs, TIMEOUT_RANGE } from '../../runtime/errors.js';
import { isLimit, type ProcessLimits } from '../../runtime/limits.js';
import { isServerName } from '../../runtime/server-name.js';
import type { Restart } from '../../supervision/restart-policy.js';

const SERVER_OPTIONS: Readonly<Record<keyof GenServerOptions, true>> = {
  name: true,
  args: true,
  restart: true,
  shutdownMs: true,
  callTimeoutMs: true,
  startTimeoutMs: true,
  trapExit: true,
  drain: true,
  isolation: true,
  start: true,
  idleMs: true,
  supervisor: true,
  maxMailbox: true,
  version: true,
};
const MODULE_OPTIONS: Readonly<Record<keyof GenServerModuleOptions, true>> = {
  supervisor: true,
  replyErrors: true,
  onTreeExit: true,
  globalNames: true,
  clock: true,
  tracking: true,
  attributeRejections: true,
  attributeExceptions: true,
  limits: true,
  redact: true,
  showValues: true,
};

/** Refuses an option that the library does not know: a typo, or the option's name in another library. */
function refuseUnknown(owner: string, options: object, known: object): void {
  for (const option of Object.keys(options)) {
    if (!Object.hasOwn(known, option)) throw messages.unknownOption(owner, option, Object.keys(known));
  }
}

/** A name without a letter or digit would match every field. */
const isNamePattern = (value: unknown): boolean =>
  typeof value === 'string' ? /[\p{L}\p{N}]/u.test(value) : value instanceof RegExp;

/** Refuses invalid options of a server before anything is started. */
export function checkServerOptions(server: string, options: GenServerOptions): void {
  const { name, restart, shutdownMs, callTimeoutMs, version } = options;
  refuseUnknown(server, options, SERVER_OPTIONS);
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw messages.invalidOption(server, option, expected, got);
  };
  if (name !== undefined && !isServerName(name)) {
    refuse('name', 'a non-empty string, a symbol, a class, { global } or { via, key }', name);
  }
  const fault = findOptionFault(options);
  if (fault !== undefined) refuse(fault.option, fault.expected, fault.got);
  if (restart !== undefined && !['permanent', 'transient', 'temporary'].includes(restart)) {
    refuse('restart', "'permanent', 'transient' or 'temporary'", restart);
  }
  if (shutdownMs !== undefined && shutdownMs !== 'brutal_kill' && !isTimeoutMs(shutdownMs)) {
    refuse('shutdownMs', "milliseconds, 0 or more, Infinity or 'brutal_kill'", shutdownMs);
  }
  if (callTimeoutMs !== undefined && !isTimeoutMs(callTimeoutMs)) refuse('callTimeoutMs', TIMEOUT_RANGE, callTimeoutMs);
  if (version !== undefined && typeof version !== 'string' && typeof version !== 'number') {
    refuse('version', 'a string or a number', version);
  }
  checkStart(server, options);
}

/** Refuses options that contradict `start`, or that would start and end a server over and over. */
function checkStart(server: string, { start, idleMs, supervisor, restart, args }: GenServerOptions): void {
  if (start !== undefined && start !== 'with_application' && start !== 'on_demand') {
    throw messages.invalidOption(server, 'start', "'with_application' or 'on_demand'", start);
  }
  const isOnDemand = start === 'on_demand';
  refuseEndlessStarts(server, idleMs, restartOf({ start, restart }));
  if (supervisor !== undefined && !isOnDemand) {
    throw messages.invalidOption(server, 'supervisor', "left out unless start is 'on_demand'", supervisor);
  }
  if (args !== undefined && isOnDemand) {
    throw messages.invalidOption(
      server,
      'args',
      "left out with start: 'on_demand': the start of each process gives its arguments",
      args,
    );
  }
  if (isOnDemand) completeDynamicSupervisorOptions(supervisor ?? {}, server);
}

type Given<K extends keyof GenServerOptions> = { readonly [O in K]?: GenServerOptions[O] | undefined };

/** The restart type of a server, with its default: a server that is started on demand may go idle, so it is transient. */
export function restartOf({ start, restart }: Given<'start' | 'restart'>): Restart {
  return restart ?? (start === 'on_demand' ? 'transient' : 'permanent');
}

/** Refuses `idleMs` of a permanent server: its supervisor would start it again each time it goes idle. */
export function refuseEndlessStarts(server: string, idleMs: number | undefined, restart: Restart): void {
  if (idleMs === undefined || idleMs === Infinity || restart !== 'permanent') return;
  throw messages.invalidOption(
    server,
    'idleMs',
    "left out with restart: 'permanent', which would start it again at once",
    idleMs,
  );
}

/** Refuses an invalid timeout of one handler. */
export function checkTimeoutMs(handler: string, timeoutMs: unknown): void {
  if (!isTimeoutMs(timeoutMs)) throw messages.invalidOption(handler, 'timeoutMs', TIMEOUT_RANGE, timeoutMs);
}

/** Refuses an invalid schema of one handler. */
export function checkSchema(handler: string, schema: unknown): void {
  if (isStandardSchema(schema) || (Array.isArray(schema) && schema.every(isStandardSchema))) return;
  throw messages.invalidOption(
    handler,
    'schema',
    "a Standard Schema ('~standard', version 1) for the only argument, or an array with one for each",
    schema,
  );
}

/** Refuses a user-supplied object that lacks a method which the library calls. */
function checkPort(owner: string, option: string, port: object | undefined, methods: readonly string[]): void {
  if (port === undefined) return;
  const missing = methods.filter((method) => typeof (port as Record<string, unknown> | null)?.[method] !== 'function');
  if (missing.length > 0) {
    throw messages.invalidOption(
      owner,
      option,
      `an object with the methods ${methods.join(', ')} (missing: ${missing.join(', ')})`,
      port,
    );
  }
}

function checkLimits(owner: string, limits: Partial<ProcessLimits> | undefined): void {
  if (limits === undefined) return;
  refuseUnknown(`limits of ${owner}`, limits, { nameLength: true, monitors: true, pendingCalls: true });
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined && !isLimit(value)) {
      throw messages.invalidOption(owner, `limits.${name}`, 'a whole number, 1 or more, or Infinity', value);
    }
  }
}

/** Refuses invalid options of the module. The supervisor checks its own options itself. */
export function checkModuleOptions(options: GenServerModuleOptions): void {
  const { onTreeExit, replyErrors, tracking, clock, globalNames, redact, showValues } = options;
  const owner = 'GenServerModule.forRoot()';
  refuseUnknown(owner, options, MODULE_OPTIONS);
  const ifGiven = clock?.afterCallback === undefined ? [] : ['afterCallback'];
  checkPort(owner, 'clock', clock, ['now', 'wallTime', 'setTimer', 'nextTurn', ...ifGiven]);
  checkPort(owner, 'globalNames', globalNames, ['register', 'unregister', 'whereis']);
  if (tracking !== undefined && typeof tracking !== 'boolean') {
    throw messages.invalidOption(owner, 'tracking', 'true or false', tracking);
  }
  checkLimits(owner, options.limits);
  if (showValues !== undefined && typeof showValues !== 'boolean') {
    throw messages.invalidOption(owner, 'showValues', 'true or false', showValues);
  }
  if (redact !== undefined && !(Array.isArray(redact) && redact.every(isNamePattern))) {
    throw messages.invalidOption(
      owner,
      'redact',
      'an array of names (letters or digits in each) and regular expressions',
      redact,
    );
  }
  for (const option of ['attributeRejections', 'attributeExceptions'] as const) {
    const attributes = options[option];
    if (attributes !== undefined && typeof attributes !== 'boolean') {
      throw messages.invalidOption(owner, option, 'true or false', attributes);
    }
    if (attributes === true && tracking === false) {
      throw messages.invalidOption(owner, 'tracking', `true, or left out, with ${option}`, tracking);
    }
  }
  if (
    onTreeExit !== undefined &&
    onTreeExit !== 'shutdown' &&
    onTreeExit !== 'keep' &&
    typeof onTreeExit !== 'function'
  ) {
    throw messages.invalidOption(owner, 'onTreeExit', "'shutdown', 'keep' or a function", onTreeExit);
  }
  if (
    replyErrors !== undefined &&
    !(Array.isArray(replyErrors) && replyErrors.every((type) => typeof type === 'function'))
  ) {
    throw messages.invalidOption(owner, 'replyErrors', 'an array of error classes', replyErrors);
  }
}

import type { MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import type { ServerName } from '../../runtime/server-name.js';
import type { ServerDefinition, ServerBlueprint } from './server-definition.js';
import { assertStartOptions, type InitArguments, type StartOptions } from './start-options.js';

/**
 * The blueprint and the complete options of a start. They are checked once, and shared by all processes that are started alike, of which
 * there may be a hundred thousand.
 */
export class StartPlan {
  readonly definition: ServerDefinition;
  /** The name and arguments of a process whose start specifies no others. */
  readonly name: ServerName | undefined;
  readonly args: InitArguments;
  readonly startTimeoutMs: number;
  readonly isolation: 'none' | 'clone';
  /** After how many idle milliseconds the process ends by itself; Infinity means never. */
  readonly idleMs: number;
  /** Undefined means no limit. */
  readonly maxMailbox: MaxMailbox | undefined;
  readonly trapsExits: boolean;
  readonly drains: boolean;

  /** Throws `InvalidArgumentError` if an option is invalid. */
  constructor(
    readonly blueprint: ServerBlueprint,
    given: StartOptions = {},
  ) {
    const { definition, defaults } = blueprint;
    const options = withDefaults(given, defaults);
    assertStartOptions(options, definition.label);
    this.definition = definition;
    this.name = options.name;
    this.args = options.args ?? NO_ARGUMENTS;
    this.startTimeoutMs = options.startTimeoutMs ?? Infinity;
    this.isolation = options.isolation ?? 'none';
    this.idleMs = options.idleMs ?? Infinity;
    this.maxMailbox = options.maxMailbox;
    this.trapsExits = options.trapExit ?? false;
    this.drains = options.drain ?? true;
  }
}

/** One plan per blueprint, shared by the starts without options. */
const defaultPlans = new WeakMap<ServerBlueprint, StartPlan>();

/** The plan of a start with these options. Throws `InvalidArgumentError` if an option is invalid. */
export function planOf(blueprint: ServerBlueprint, given?: StartOptions): StartPlan {
  if (given !== undefined) return new StartPlan(blueprint, given);
  let plan = defaultPlans.get(blueprint);
  if (plan === undefined) defaultPlans.set(blueprint, (plan = new StartPlan(blueprint)));
  return plan;
}

/** Fills in the defaults. An option that is undefined counts as left out. */
export function withDefaults<T extends object>(given: T, defaults: T | undefined): T {
  return { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as T;
}

/** An empty argument list that all processes share: a hundred thousand empty arrays take a few megabytes. */
export const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

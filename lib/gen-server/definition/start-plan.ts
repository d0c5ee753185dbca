import type { MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import type { ServerName } from '../../runtime/server-name.js';
import type { ServerDefinition, ServerBlueprint } from './server-definition.js';
import { assertStartOptions, type InitArguments, type StartOptions } from './start-options.js';

/**
 * How servers of one kind are started: checked once, and shared by all processes that are started alike, of which there may be a
 * hundred thousand.
 */
export class StartPlan {
  readonly definition: ServerDefinition;
  /** What a process is called and given when its start says nothing else. */
  readonly name: ServerName | undefined;
  readonly args: InitArguments;
  readonly startTimeoutMs: number;
  readonly isolation: 'none' | 'clone';
  /** How long the process may have nothing to do before it ends by itself; Infinity for as long as it likes. */
  readonly idleMs: number;
  /** Undefined for as many messages as come. */
  readonly maxMailbox: MaxMailbox | undefined;
  readonly trapsExits: boolean;
  readonly drains: boolean;

  /** Throws when an option makes no sense. */
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

/** Starts that say nothing of their own share one plan per source. */
const defaultPlans = new WeakMap<ServerBlueprint, StartPlan>();

/** Throws when an option makes no sense. */
export function planOf(blueprint: ServerBlueprint, given?: StartOptions): StartPlan {
  if (given !== undefined) return new StartPlan(blueprint, given);
  let plan = defaultPlans.get(blueprint);
  if (plan === undefined) defaultPlans.set(blueprint, (plan = new StartPlan(blueprint)));
  return plan;
}

/** What is given as undefined counts as left out. */
export function withDefaults<T extends object>(given: T, defaults: T | undefined): T {
  return { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as T;
}

/** No arguments, the same array for everybody: a hundred thousand empty ones are a few megabytes. */
export const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

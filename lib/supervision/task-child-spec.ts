import { ok, stop } from '../gen-server/results/callback-result.js';
import { GenServerBase } from '../gen-server/gen-server-base.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
} from '../gen-server/definition/server-definition.js';
import type { TaskFunction } from '../gen-server/tasks/task-process.js';
import { type ChildSpec, childSpec } from './child-spec.js';

/** Runs one function between its start and its end. */
class TaskServer extends GenServerBase<null> {
  constructor(private readonly work: TaskFunction<unknown>) {
    super();
  }

  override init(): never {
    return ok(null).continue('work') as never;
  }

  async run(): Promise<unknown> {
    await this.work(this.self.signal);
    return stop('normal');
  }
}

const { run } = TaskServer.prototype as unknown as Readonly<Record<'run', HandlerMethod>>;

const DEFINITION: ServerDefinition = {
  label: 'Task',
  calls: new Map(),
  casts: new Map(),
  infos: new InfoHandlers(),
  continues: new Map([['work', new Handler('work', run)]]),
  isReplyError: () => false,
};

/**
 * A task as the child of an ordinary supervisor: something to be done once when the tree is up. The supervisor does not wait for it
 * and, unless `restart` says otherwise, does not start it again (K14). A stop ends it in the middle of its work.
 */
export function taskChildSpec(
  work: TaskFunction<unknown>,
  overrides: Partial<Omit<ChildSpec, 'start'>> = {},
): ChildSpec {
  const blueprint = { definition: DEFINITION, create: () => new TaskServer(work) };
  return childSpec(blueprint, { drain: false }, { restart: 'temporary', ...overrides });
}

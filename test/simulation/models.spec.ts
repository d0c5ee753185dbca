import fc from 'fast-check';
import { describe, it } from 'vitest';
import { BoundedMailbox } from '../../lib/runtime/mailbox/bounded-mailbox.js';
import { INFO_ENVELOPE, SENT_ENVELOPE } from '../../lib/runtime/mailbox/envelope.js';
import { Pid, Ref } from '../../lib/runtime/pid.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import { cancelTimer, readTimer, type TimerRef } from '../../lib/runtime/timers.js';
import { sendAfter } from '../../lib/gen-server/client/client.js';
import { ok, stop } from '../../lib/gen-server/results/callback-result.js';
import { Self } from '../../lib/gen-server/self.js';
import type { Registry } from '../../lib/registry/registry.js';
import { settle } from '../support/manual-clock.js';
import { script } from '../support/script.js';
import { Boom, end, treeWorld, type TreeWorld } from '../support/tree.js';
import { testWorld, type TestWorld } from '../support/world.js';
import { SupervisorModel } from '../supervision/supervisor-model.js';
import { MailboxModel } from './models/mailbox-model.js';
import { MonitorModel } from './models/monitor-model.js';
import { RegistryModel } from './models/registry-model.js';
import { TimerModel, type TimerEntry } from './models/timer-model.js';

// The same models as the simulator's, driven by fast-check: it shrinks a failure to the few commands that matter.

const RUNS = 400;

function expectSame(found: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} rather than ${JSON.stringify(expected)}`);
}

/** A command that is always possible. */
abstract class Step<M extends object, R> implements fc.AsyncCommand<M, R> {
  check(_model: Readonly<M>): boolean {
    return true;
  }
  abstract run(model: M, real: R): Promise<void>;
  toString(): string {
    return `${this.constructor.name}${JSON.stringify({ ...this })}`;
  }
}

function steps<M extends object, R>(
  ...commands: fc.Arbitrary<fc.AsyncCommand<M, R>>[]
): fc.Arbitrary<Iterable<fc.AsyncCommand<M, R>>> {
  return fc.commands(commands, { maxCommands: 25 });
}

const check = <M extends object, R>(
  setup: () => Promise<{ model: M; real: R }>,
  commands: fc.Arbitrary<Iterable<fc.AsyncCommand<M, R>>>,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const { model, real } = await setup();
      await fc.asyncModelRun(() => ({ model, real }), all);
    }),
    { numRuns: RUNS },
  );

// --- mailbox ----------------------------------------------------------------------------------------------------------------

interface Mail {
  readonly id: number;
  readonly isCountable: boolean;
}
interface RealMailbox {
  readonly mailbox: BoundedMailbox;
  readonly shed: unknown[];
}
type Box = MailboxModel<Mail>;
let mails = 0;
/** Several messages belong to each. */
const REFS = [0, 1, 2].map((id) => new Ref(id));
const refOf = (mail: unknown): Ref => REFS[(mail as Mail).id % REFS.length]!;

class Push extends Step<Box, RealMailbox> {
  constructor(readonly isCountable: boolean) {
    super();
  }
  async run(model: Box, { mailbox, shed }: RealMailbox): Promise<void> {
    const mail = { id: ++mails, isCountable: this.isCountable };
    const evicted = model.push(mail);
    mailbox.push(this.isCountable ? SENT_ENVELOPE : INFO_ENVELOPE, mail);
    expectSame(shed.splice(0), evicted === undefined ? [] : [evicted], 'shed');
  }
}
class Take extends Step<Box, RealMailbox> {
  async run(model: Box, { mailbox }: RealMailbox): Promise<void> {
    expectSame(mailbox.isEmpty ? undefined : mailbox.take(), model.shift(), 'taken');
  }
}
class Forget extends Step<Box, RealMailbox> {
  constructor(readonly remainder: number) {
    super();
  }
  async run(model: Box, { mailbox }: RealMailbox): Promise<void> {
    const found = mailbox.removeByRef(INFO_ENVELOPE, REFS[this.remainder]!, refOf, () => true);
    expectSame(
      found,
      model.remove((mail) => !mail.isCountable && refOf(mail) === REFS[this.remainder]),
      'removed',
    );
  }
}
class LookIntoMailbox extends Step<Box, RealMailbox> {
  async run(model: Box, { mailbox }: RealMailbox): Promise<void> {
    const found: unknown[] = [];
    mailbox.forEach((_envelope, mail) => found.push(mail));
    expectSame(found, model.items, 'waiting');
    expectSame(mailbox.length, model.length, 'length');
  }
}

describe('the mailbox and its model', () => {
  it.each(['reject', 'drop_newest', 'drop_oldest'] as const)(
    'agree on what is taken, dropped and left: %s',
    (overflow) =>
      check(
        async () => {
          const shed: unknown[] = [];
          const mailbox = new BoundedMailbox(
            { limit: 3, overflow },
            (_envelope, mail) => shed.push(mail),
            () => undefined,
          );
          return {
            model: new MailboxModel<Mail>(({ isCountable }) => isCountable, 3, overflow),
            real: { mailbox, shed },
          };
        },
        steps(
          fc.boolean().map((isCountable) => new Push(isCountable)),
          fc.constant(new Take()),
          fc.nat(2).map((remainder) => new Forget(remainder)),
          fc.constant(new LookIntoMailbox()),
        ),
      ),
  );
});

// --- monitors -----------------------------------------------------------------------------------------------------------------

interface Watching {
  readonly monitors: MonitorModel<string, Ref>;
  readonly refs: Ref[];
  readonly alive: Set<number>;
  /** What the watcher has been told, and has not been asked for. */
  told: string[];
}
interface RealWatching {
  readonly world: TestWorld;
  readonly watcher: Self;
  readonly pids: Pid[];
  readonly seen: unknown[];
}

class Watch extends Step<Watching, RealWatching> {
  constructor(readonly at: number) {
    super();
  }
  async run(model: Watching, { watcher, pids }: RealWatching): Promise<void> {
    const ref = watcher.monitor(pids[this.at]!);
    model.refs.push(ref);
    if (model.alive.has(this.at)) model.monitors.add(ref, 'watcher', String(this.at));
    else model.told.push(`${ref.toString()} noproc`);
  }
}
class Unwatch extends Step<Watching, RealWatching> {
  constructor(readonly at: number) {
    super();
  }
  override check({ refs }: Readonly<Watching>): boolean {
    return refs.length > 0;
  }
  async run(model: Watching, { watcher }: RealWatching): Promise<void> {
    const ref = model.refs[this.at % model.refs.length]!;
    expectSame(watcher.demonitor(ref), model.monitors.stop('watcher', ref), 'was on');
  }
}
class Kill extends Step<Watching, RealWatching> {
  constructor(
    readonly at: number,
    readonly reason: string,
  ) {
    super();
  }
  async run(model: Watching, { world, pids }: RealWatching): Promise<void> {
    world.exit(pids[this.at]!, this.reason);
    await settle();
    if (!model.alive.delete(this.at)) return;
    for (const entry of model.monitors.untold(String(this.at))) {
      entry.state = 'told';
      model.told.push(`${entry.ref.toString()} ${this.reason}`);
    }
  }
}
class Ask extends Step<Watching, RealWatching> {
  async run(model: Watching, { seen }: RealWatching): Promise<void> {
    await settle();
    const told = seen.splice(0).map((down) => `${(down as Down).ref.toString()} ${String((down as Down).reason)}`);
    expectSame(told, model.told.splice(0), 'told');
  }
}

describe('monitors and their model', () => {
  it('agree on who is told what, and when', () =>
    check(
      async () => {
        const world = testWorld();
        const server = script();
        let watcher!: Self;
        await world.start(script({ ...server, init: (_args, self) => ((watcher = self), ok(null)) }));
        const pids = await Promise.all([script(), script()].map((other) => world.start(other)));
        const model: Watching = { monitors: new MonitorModel(), refs: [], alive: new Set([0, 1]), told: [] };
        return { model, real: { world, watcher, pids, seen: server.seen } };
      },
      steps(
        fc.nat(1).map((at) => new Watch(at)),
        fc.nat(5).map((at) => new Unwatch(at)),
        fc.tuple(fc.nat(1), fc.constantFrom('boom', 'shutdown')).map(([at, reason]) => new Kill(at, reason)),
        fc.constant(new Ask()),
      ),
    ));
});

// --- timers -------------------------------------------------------------------------------------------------------------------

interface Timing {
  readonly timers: TimerModel<number>;
  readonly entries: TimerEntry<number>[];
  now: number;
}
interface RealTiming {
  readonly world: TestWorld;
  readonly pid: Pid;
  readonly refs: TimerRef[];
  readonly seen: unknown[];
}

class Arm extends Step<Timing, RealTiming> {
  constructor(readonly delayMs: number) {
    super();
  }
  async run(model: Timing, { world, pid, refs }: RealTiming): Promise<void> {
    const message = model.entries.length;
    model.entries.push(model.timers.arm(message, model.now, this.delayMs));
    refs.push(sendAfter(world.runtime, pid, message, this.delayMs));
  }
}
class Cancel extends Step<Timing, RealTiming> {
  constructor(
    readonly at: number,
    readonly readsOnly: boolean,
  ) {
    super();
  }
  override check({ entries }: Readonly<Timing>): boolean {
    return entries.length > 0;
  }
  async run(model: Timing, { world, refs }: RealTiming): Promise<void> {
    const at = this.at % refs.length;
    const entry = model.entries[at]!;
    const expected = this.readsOnly ? model.timers.left(entry, model.now) : model.timers.cancel(entry, model.now);
    const found = this.readsOnly ? readTimer(world.runtime, refs[at]!) : cancelTimer(world.runtime, refs[at]!);
    expectSame(found, expected, 'left');
  }
}
class Pass extends Step<Timing, RealTiming> {
  constructor(
    readonly ms: number,
    readonly isBlocked: boolean,
  ) {
    super();
  }
  async run(model: Timing, { world, seen }: RealTiming): Promise<void> {
    if (this.isBlocked) world.clock.jump(this.ms);
    else await world.clock.advance(this.ms);
    await settle();
    model.now += this.ms;
    const due = model.timers.overdue(model.now);
    for (const entry of due) entry.state = 'delivered';
    expectSame(
      seen.splice(0),
      due.map(({ value }) => value),
      'delivered',
    );
  }
}

describe('timers and their model', () => {
  it('agree on what comes, when, in which order, and on what is left', () =>
    check(
      async () => {
        const world = testWorld();
        const server = script();
        const pid = await world.start(server);
        const model: Timing = { timers: new TimerModel(), entries: [], now: world.clock.now() };
        return { model, real: { world, pid, refs: [], seen: server.seen } };
      },
      steps(
        fc.constantFrom(1, 10, 10, 25).map((delayMs) => new Arm(delayMs)),
        fc.tuple(fc.nat(20), fc.boolean()).map(([at, readsOnly]) => new Cancel(at, readsOnly)),
        fc.tuple(fc.constantFrom(1, 9, 30), fc.boolean()).map(([ms, isBlocked]) => new Pass(ms, isBlocked)),
      ),
    ));
});

// --- registry -----------------------------------------------------------------------------------------------------------------

type Names = RegistryModel<string, number>;
interface RealNames {
  readonly world: TestWorld;
  readonly registry: Registry<string, number>;
  readonly selves: Self[];
}

class Register extends Step<Names, RealNames> {
  constructor(
    readonly at: number,
    readonly key: string,
    readonly value: number,
    readonly what: 'register' | 'unregister' | 'updateValue',
  ) {
    super();
  }
  async run(model: Names, { registry, selves }: RealNames): Promise<void> {
    const { at, key, value } = this;
    const self = selves[at]!;
    const isAlive = Self.serverOf(self).isAlive;
    if (this.what === 'unregister') {
      model.unregister(at, key);
      registry.unregister(self, key);
    } else if (this.what === 'updateValue' && registry.keys === 'unique') {
      const before = model.update(at, key, value);
      expectSame(registry.updateValue(self, key, () => value)?.oldValue, before, 'old value');
    } else {
      const hasRoom = !isAlive || model.register(at, key, value);
      let isRefused = false;
      try {
        registry.register(self, key, value);
      } catch {
        isRefused = true;
      }
      expectSame(isRefused, !hasRoom, 'refused');
    }
  }
}
class End extends Step<Names, RealNames> {
  constructor(readonly at: number) {
    super();
  }
  async run(model: Names, { world, selves }: RealNames): Promise<void> {
    world.exit(selves[this.at]!.pid, 'kill');
    await settle();
    model.ended(this.at);
  }
}
class LookUp extends Step<Names, RealNames> {
  constructor(readonly key: string) {
    super();
  }
  async run(model: Names, { registry, selves }: RealNames): Promise<void> {
    const found = registry.lookup(this.key).map(({ pid, value }) => [pid.toString(), value]);
    expectSame(
      found,
      model.of(this.key).map(({ owner, value }) => [selves[owner]!.pid.toString(), value]),
      'looked up',
    );
    expectSame(registry.count(), model.entries.length, 'count');
    const keys = selves.map(({ pid }) => [...registry.keysOf(pid)].sort());
    expectSame(
      keys,
      selves.map((_self, at) => model.keysOf(at).sort()),
      'keys',
    );
  }
}

describe('the registry and its model', () => {
  const key = fc.constantFrom('a', 'b');
  it.each(['unique', 'duplicate'] as const)('agree on who holds what: %s', (keys) =>
    check(
      async () => {
        const world = testWorld();
        const selves: Self[] = [];
        const init = (_args: unknown, self: Self): unknown => (selves.push(self), ok(null));
        await Promise.all([1, 2, 3].map(() => world.start(script({ init }))));
        const registry = world.registries.create<string, number>('r', { keys });
        return { model: new RegistryModel<string, number>(keys === 'unique'), real: { world, registry, selves } };
      },
      steps(
        fc
          .tuple(fc.nat(2), key, fc.nat(9), fc.constantFrom('register', 'register', 'unregister', 'updateValue'))
          .map(([at, name, value, what]) => new Register(at, name, value, what as 'register')),
        fc.nat(2).map((at) => new End(at)),
        key.map((name) => new LookUp(name)),
      ),
    ),
  );
});

// --- supervisor -----------------------------------------------------------------------------------------------------------------

const IDS = ['a', 'b', 'c', 'd'];

class EndChild extends Step<SupervisorModel, TreeWorld> {
  constructor(
    readonly id: string,
    readonly reason: 'normal' | 'shutdown' | 'boom',
    readonly failures: number,
  ) {
    super();
  }
  async run(model: SupervisorModel, world: TreeWorld): Promise<void> {
    const child = model.find(this.id);
    if (child?.status === 'running') {
      model.failures.set(this.id, this.failures);
      failures.set(this.id, this.failures);
      model.exit({ id: this.id, life: child.life, isClean: this.reason !== 'boom' });
      world.cast(this.id, this.reason === 'boom' ? () => stop(new Boom('boom')) : end(this.reason));
    }
    await rest(model, world);
  }
}
class Request extends Step<SupervisorModel, TreeWorld> {
  constructor(
    readonly id: string,
    readonly type: 'start' | 'terminate' | 'restart' | 'delete',
    readonly restart: 'permanent' | 'transient' | 'temporary',
  ) {
    super();
  }
  async run(model: SupervisorModel, world: TreeWorld): Promise<void> {
    const { id, type, restart } = this;
    model.failures.clear();
    failures.clear();
    model.request({ type, id, restart });
    const init = (): unknown => startOf(id);
    const asked: Promise<unknown> =
      type === 'start'
        ? world.startChild(world.worker(id, { restart, init }))
        : type === 'terminate'
          ? world.terminateChild(id)
          : type === 'restart'
            ? world.restartChild(id)
            : world.deleteChild(id);
    await asked.catch(() => undefined);
    await rest(model, world);
  }
}

/** How many of the next starts of each child are to fail. */
const failures = new Map<string, number>();

function startOf(id: string): unknown {
  const left = failures.get(id) ?? 0;
  failures.set(id, Math.max(0, left - 1));
  return left === 0 ? ok(null) : stop('no start');
}

async function rest(model: SupervisorModel, world: TreeWorld): Promise<void> {
  model.comeToRest();
  for (let turn = 0; turn < 4; turn++) await settle();
  const found = (await world.whichChildren()).map(({ id, status }) => `${String(id)} ${status}`);
  expectSame(
    found,
    model.children.map(({ id, status }) => `${id} ${status}`),
    'children',
  );
  const names = world.names().filter((name) => name !== 'root');
  expectSame(names.map(String).sort(), model.running.sort(), 'names');
}

describe('a supervisor and its model', () => {
  it.each(['one_for_one', 'one_for_all', 'rest_for_one'] as const)('agree on who runs: %s', (strategy) =>
    check(
      async () => {
        const world = treeWorld();
        const model = new SupervisorModel(strategy);
        failures.clear();
        await world.supervise([], { strategy, maxRestarts: Infinity });
        return { model, real: world };
      },
      steps(
        fc
          .tuple(fc.constantFrom(...IDS), fc.constantFrom('normal', 'shutdown', 'boom', 'boom'), fc.nat(2))
          .map(([id, reason, count]) => new EndChild(id, reason as 'boom', count)),
        fc
          .tuple(
            fc.constantFrom(...IDS),
            fc.constantFrom('start', 'start', 'start', 'terminate', 'restart', 'delete'),
            fc.constantFrom('permanent', 'transient', 'temporary'),
          )
          .map(([id, type, restart]) => new Request(id, type as 'start', restart as 'permanent')),
      ),
    ),
  );
});

import type { Behaviour } from '../../gen-server/behaviour.js';
import { noReply, ok, reply, stop } from '../../gen-server/results/callback-result.js';
import type { Pid } from '../../runtime/pid.js';
import type { NameService, ViaRegistry } from '../../runtime/ports.js';
import type { ServerName } from '../../runtime/server-name.js';
import { settle } from '../settle.js';
import { startSupervised, type SupervisedBehaviourOptions } from '../start-supervised.js';
import { TestProbe } from '../test-probe.js';
import { TestWorld } from '../test-world.js';
import type { TestFunctions } from './test-functions.js';

interface CommonOptions {
  /** The name of the service, for the report. */
  readonly name: string;
  /** The keys to try it with, no two alike to the service. Default: strings, numbers, a symbol and objects of all kinds. */
  readonly keys?: readonly [unknown, unknown, ...unknown[]];
}

/** @publicApi */
export type NameServiceContractOptions = CommonOptions &
  (
    | {
        /** Makes a registry that shares nothing with any other, to be used as `{ via: registry, key }` in that world. */
        readonly makeRegistry: (world: TestWorld) => ViaRegistry;
      }
    | {
        /** Makes a name service that shares nothing with any other, to be used by `{ global: key }`. */
        readonly makeNameService: () => NameService;
      }
  );

/** One world whose names are kept by the service. */
interface Names {
  readonly world: TestWorld;
  readonly nameOf: (key: unknown) => ServerName;
  /** Starts a process under a key. It answers calls with its pid, and keeps what it is sent. */
  readonly start: (key: unknown, more?: Behaviour & SupervisedBehaviourOptions) => Promise<Pid>;
  readonly whereis: (key: unknown) => Pid | undefined;
}

const KEYS = [
  '',
  '*',
  'a b',
  '__proto__',
  'Zürich/東京',
  0,
  1,
  '1',
  -0.5,
  null,
  true,
  Symbol('key'),
  { a: 1 },
  { a: 1 },
  [],
];
const MANY = 1_000;

/**
 * The contract of what keeps names: a registry for `{ via: registry, key }`, or a service for `{ global: key }`. Run this suite on
 * your own. Each rule is tried with real processes, in a world of its own.
 *
 * @example
 * ```ts no-run: needs the runner of your tests
 * import { describe, expect, it } from 'vitest';
 *
 * nameServiceContract({ describe, it, expect }, { name: 'Directory', makeRegistry: (world) => new Directory(world.runtime) });
 * ```
 *
 * @publicApi
 */
export function nameServiceContract(
  { describe, it, expect }: TestFunctions,
  options: NameServiceContractOptions,
): void {
  const keys = options.keys ?? KEYS;
  const [key, other] = keys;
  const rule = (sentence: string, test: (names: Names) => Promise<void>): void =>
    void it(sentence, async () => {
      const names = open(options);
      try {
        await test(names);
      } finally {
        await names.world.stop();
      }
    });

  describe(`${options.name} as a keeper of names`, () => {
    rule('finds no process under a name that is not taken', async ({ world, nameOf, whereis }) => {
      expect(keys.map(whereis)).toEqual(keys.map(() => undefined));
      expect(await codeOf(world.call(nameOf(key), 'pid'))).toEqual('NO_PROCESS');
      world.cast(nameOf(key), 'anything');
    });

    rule('throws at the sender when a name has no holder', async ({ world, nameOf }) => {
      const outcome = await codeOf(Promise.resolve().then(() => world.send(nameOf(key), 'hello')));
      expect(outcome === 'nothing').toEqual(false);
    });

    rule('leads calls and messages to the holder', async ({ world, nameOf, start, whereis }) => {
      const pid = await start(key);
      expect(whereis(key) === pid).toEqual(true);
      expect((await world.call(nameOf(key), 'pid')) === pid).toEqual(true);
      world.send(nameOf(key), 'hello');
      await settle();
      expect(await world.call(nameOf(key), 'received')).toEqual(['hello']);
    });

    rule('takes the name before init runs', async ({ start, whereis }) => {
      let isKnown = false;
      await start(key, {
        init: (_args, self) => {
          isKnown = whereis(key) === self.pid;
          return ok(null);
        },
      });
      expect(isKnown).toEqual(true);
    });

    rule('has one holder per name, and refuses the second one before its init', async ({ start, whereis }) => {
      const holder = await start(key);
      let hasRun = false;
      const second = start(key, { init: () => ((hasRun = true), ok(null)) });
      expect(await codeOf(second)).toEqual('ALREADY_STARTED');
      expect(await second.catch((error: { holder?: unknown }) => error.holder)).toEqual(holder.toString());
      expect([hasRun, whereis(key) === holder]).toEqual([false, true]);
    });

    rule('tells names apart', async ({ start, whereis }) => {
      const pids: Pid[] = [];
      for (const each of keys) pids.push(await start(each));
      expect(keys.map((each, at) => whereis(each) === pids[at])).toEqual(keys.map(() => true));
    });

    for (const [how, end] of ENDINGS) {
      rule(`has the name free when its holder ${how}, before anybody is told`, async ({ world, start, whereis }) => {
        const pid = await start(key);
        const bystander = await start(other);
        const probe = await TestProbe.start(world);
        let heldWhenTold: boolean | undefined;
        await startSupervised(world, {
          init: (_args, self) => (self.monitor(pid), ok(null)),
          handleInfo: () => ((heldWhenTold = whereis(key) !== undefined), noReply()),
        });
        probe.monitor(pid);
        end(world, pid);
        await probe.expectDown(pid);
        expect([heldWhenTold, whereis(key), whereis(other) === bystander]).toEqual([false, undefined, true]);
        const next = await start(key);
        expect(whereis(key) === next).toEqual(true);
      });
    }

    rule('has the name free when a start has failed', async ({ start, whereis }) => {
      expect(await codeOf(start(key, { init: () => stop('broken') }))).toEqual('START_FAILED');
      expect(whereis(key)).toEqual(undefined);
      await start(key);
    });

    rule(
      'leads to the new incarnation when the holder was started again',
      async ({ world, nameOf, start, whereis }) => {
        const first = await start(key, { restart: 'permanent' });
        world.exit(first, 'kill');
        await settle();
        const second = whereis(key);
        expect([second === undefined, second === first]).toEqual([false, false]);
        expect((await world.call(nameOf(key), 'pid')) === second).toEqual(true);
      },
    );

    rule('does not give a name back twice: what ends late does not take it from the next', async (names) => {
      const { world, start, whereis } = names;
      for (let time = 0; time < 3; time++) {
        const pid = await start(key);
        world.exit(pid, 'kill');
        await settle();
      }
      const last = await start(key);
      await settle();
      expect(whereis(key) === last).toEqual(true);
    });

    rule(`keeps ${MANY} names, and none when their holders have ended`, async ({ world, nameOf }) => {
      const all = Array.from({ length: MANY }, (_, at) => `name ${at}`);
      const probe = await TestProbe.start(world);
      const pids = await Promise.all(all.map((each) => probe.self.startLink(holder(), { name: nameOf(each) })));
      expect(all.filter((each, at) => world.whereis(nameOf(each)) !== pids[at])).toEqual([]);
      world.exit(probe, 'kill');
      await settle();
      expect(all.filter((each) => world.whereis(nameOf(each)) !== undefined)).toEqual([]);
    });
  });
}

const ENDINGS: readonly (readonly [how: string, end: (world: TestWorld, pid: Pid) => void])[] = [
  ['stops', (world, pid) => world.send(pid, STOP)],
  ['crashes', (world, pid) => world.cast(pid, 'crash')],
  ['is killed', (world, pid) => world.exit(pid, 'kill')],
];
const STOP = Symbol('stop');

function open(options: NameServiceContractOptions): Names {
  const world = new TestWorld('makeNameService' in options ? { globalNames: options.makeNameService() } : {});
  const registry = 'makeRegistry' in options ? options.makeRegistry(world) : undefined;
  const nameOf = (key: unknown): ServerName => (registry === undefined ? { global: key } : { via: registry, key });
  return {
    world,
    nameOf,
    whereis: (key) => world.whereis(nameOf(key)),
    start: (key, { restart = 'temporary', ...behaviour } = {}) =>
      startSupervised(world, { ...holder(), ...behaviour }, { name: nameOf(key), restart }),
  };
}

function holder(): Behaviour {
  const received: unknown[] = [];
  return {
    label: 'holder',
    init: () => ok(null),
    handleCall: (request, _from, _state, self) => reply(request === 'pid' ? self.pid : received),
    handleInfo: (message) => {
      if (message === STOP) return stop('normal');
      received.push(message);
      return noReply();
    },
    handleCast: () => {
      throw new Error('a crash that the suite causes');
    },
  };
}

/** The code of the library's error that a promise rejects with, or what else came of it. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code ?? 'an error';
  }
}

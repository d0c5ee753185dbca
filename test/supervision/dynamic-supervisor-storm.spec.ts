import { describe, expect, it } from 'vitest';
import { ignore, ok, stop } from '../../lib/gen-server/results/callback-result.js';
import { MaxChildrenError } from '../../lib/supervision/errors.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { isCleanExit } from '../../lib/runtime/exits/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { type Restart, shouldRestart } from '../../lib/supervision/restart-policy.js';
import { settle } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { DynamicSupervisorModel, type Start } from './dynamic-supervisor-model.js';
import { dynamicWorld } from './dynamic-world.js';
import { bringDown, expectNothingLeft } from './tidy-world.js';

expectNothingLeft();

const RESTARTS: Restart[] = ['permanent', 'permanent', 'transient', 'transient', 'temporary'];
const NAMES = ['x', 'y', 'z', undefined, undefined];
const STARTS: Start[] = ['ok', 'ok', 'fails', 'fails', 'ignores'];

/** A world under a dynamic supervisor that bears everything, and the dice. */
async function stormWorld(seed: number, maxChildren = Infinity) {
  const random = seededRandom(seed);
  const world = dynamicWorld();
  await world.startDyn({ maxRestarts: Infinity, maxChildren });
  /** The process of each child that was ever made, in its latest life. */
  const latest = new Map<string, Pid>();
  let made = 0;

  const spec = (label: string, restart: Restart, name: string | undefined, starts: readonly Start[]) => {
    const left = [...starts];
    const isSlow = random() < 0.4;
    const isSlowToEnd = random() < 0.2;
    return world.anonymous(label, {
      restart,
      shutdownMs: random() < 0.2 ? 'brutal_kill' : 5_000,
      options: { name },
      init: async (self) => {
        latest.set(label, self.pid);
        const next = left.shift() ?? 'ok';
        if (isSlow) await Promise.resolve();
        return next === 'ok' ? ok(null) : next === 'ignores' ? ignore() : stop(`${label} is broken`);
      },
      terminate: () => (isSlowToEnd ? Promise.resolve() : undefined),
    });
  };
  return {
    world,
    random,
    latest,
    spec,
    pick: <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!,
    fresh: () => `c${made++}`,
  };
}

describe('a storm of starts, crashes and terminations under a dynamic supervisor', () => {
  it('leaves exactly those children running that should be, 240 times over [D1] [D2] [D3] [D4] [D5]', async () => {
    for (let seed = 1; seed <= 240; seed++) {
      const maxChildren = seed % 3 === 0 ? 6 : Infinity;
      const { world, random, latest, spec, pick, fresh } = await stormWorld(seed, maxChildren);
      const model = new DynamicSupervisorModel(maxChildren);

      for (let burst = 0; burst < 8; burst++) {
        // All of it is asked for before anything of it takes effect.
        const answers: { readonly promise: Promise<unknown>; readonly isPossible: boolean }[] = [];
        for (let left = 1 + Math.floor(random() * 8); left > 0; left--) {
          const labels = model.children.map(({ label }) => label);
          const dice = random();
          if (dice < 0.4 || labels.length === 0) {
            const label = fresh();
            const [restart, name] = [pick(RESTARTS), pick(NAMES)];
            const starts = [
              random() < 0.8 ? 'ok' : pick(STARTS),
              ...Array.from({ length: 3 }, () => pick(STARTS)),
            ] as const;
            const promise = world.add(spec(label, restart, name, starts));
            answers.push({ promise, isPossible: model.start(label, restart, name, starts) });
            // It exists already, although its init has not run.
            const made = [...world.runtime.processes()].at(-1)!;
            if (answers.at(-1)!.isPossible) latest.set(label, made.pid);
          } else if (dice < 0.75) {
            const label = pick(labels);
            const isClean = random() < 0.4;
            world.exit(latest.get(label)!, isClean ? 'shutdown' : pick(['kill', 'odd']));
            model.exit(label, isClean);
          } else {
            const label = pick(labels);
            answers.push({ promise: world.remove(latest.get(label)!), isPossible: model.terminate(label) });
          }
        }
        model.comeToRest();
        const settled = await Promise.allSettled(answers.map(({ promise }) => promise));
        await settle();
        await settle();

        const at = `seed ${seed}, burst ${burst}`;
        for (const [index, answer] of settled.entries()) {
          // What is impossible is refused; what is possible may still fail in init.
          if (!answers[index]!.isPossible) expect(answer.status, at).toBe('rejected');
        }
        const running = model.children.map(({ label, name, lives }) => ({ label, name: name && `'${name}'`, lives }));
        const actual = world.which().map(({ pid, name, status }) => {
          expect(status, at).toBe('running');
          return { label: processOf(pid)!.label, name, lives: pid.incarnation + 1 };
        });
        expect(actual, at).toEqual(running);
        expect(world.count(), at).toEqual({
          specs: running.length,
          active: running.length,
          supervisors: 0,
          workers: running.length,
        });
        expect(world.runtime.processCount, at).toBe(1 + running.length);
        expect(world.names().sort(), at).toEqual(['dyn', ...model.children.flatMap(({ name }) => name ?? [])].sort());
      }
      await bringDown(world);
    }
  });

  it('keeps its promises when it never comes to rest, 120 times over [D1] [D4] [D5]', async () => {
    for (let seed = 1; seed <= 120; seed++) {
      const { world, random, latest, spec, pick, fresh } = await stormWorld(seed);
      const restartOf = new Map<number, Restart>();
      const removed = new Set<number>();
      const asked: Promise<unknown>[] = [];
      for (let step = 0; step < 60; step++) {
        const dice = random();
        const label = pick([...latest.keys()]);
        if (dice < 0.3 || label === undefined) {
          const [restart, name] = [pick(RESTARTS), pick(NAMES)];
          const starts = Array.from({ length: 4 }, () => pick(STARTS.slice(0, 4)));
          const start = world.add(spec(fresh(), restart, name, starts)).then(
            ({ id }) => restartOf.set(id, restart),
            (error: unknown) => expect(['START_FAILED', 'ALREADY_STARTED']).toContain((error as { code: string }).code),
          );
          asked.push(start);
        } else if (dice < 0.6) {
          world.exit(latest.get(label)!, pick(['kill', 'odd', 'shutdown']));
        } else if (dice < 0.7) {
          const pid = latest.get(label)!;
          const remove = world.remove(pid).then(
            () => removed.add(pid.id),
            (error: unknown) => expect(error).toMatchObject({ problem: 'not_found' }),
          );
          asked.push(remove);
        } else if (dice < 0.9) {
          await Promise.resolve();
        } else {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await Promise.all(asked);
      await settle();
      await settle();

      // Gone is who was removed, who ended in a way that its restart type takes for the end, and who lost its name.
      const at = `seed ${seed}`;
      const gone = new Set(removed);
      for (const { pid, reason, isClean } of world.eventsOf('supervisor.child_exited')) {
        expect(isClean).toBe(isCleanExit(reason));
        if (!shouldRestart(restartOf.get(pid.id)!, reason)) gone.add(pid.id);
      }
      const superseded = world.eventsOf('supervisor.child_superseded').length;
      const present = world.which();
      const expected = [...restartOf.keys()].filter((id) => !gone.has(id));
      expect(
        present.map(({ pid }) => pid.id).filter((id) => !expected.includes(id)),
        at,
      ).toEqual([]);
      expect(expected.length - present.length, at).toBe(superseded);
      expect(
        present.every(({ pid, status }) => status === 'running' && processOf(pid) !== undefined),
        at,
      ).toBe(true);
      expect(world.runtime.processCount, at).toBe(1 + present.length);
      const names = present.flatMap(({ name }) => name ?? []);
      expect(
        world
          .names()
          .map((name) => `'${String(name)}'`)
          .sort(),
        at,
      ).toEqual(["'dyn'", ...names].sort());
      await bringDown(world);
    }
  });

  it('either bears it or takes all the children down, when the budget is small [D7]', async () => {
    let borne = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const world = dynamicWorld();
      await world.supervise([world.dyn({ maxRestarts: 3, maxChildren: 5 })], { maxRestarts: 1 });
      const incarnation = () => world.whereis('dyn')?.incarnation;
      for (let step = 0; step < 12 && incarnation() === 0; step++) {
        const init = () => (random() < 0.1 ? stop('unlucky') : ok(null));
        const failure = await world.add(world.anonymous(`c${step}`, { init })).then(
          () => undefined,
          (error: unknown) => error as Error,
        );
        if (failure !== undefined && !(failure instanceof MaxChildrenError)) {
          expect(failure).not.toBeInstanceOf(AlreadyStartedError);
        }
        const children = world.which();
        const victim = children[Math.floor(random() * children.length)];
        if (victim !== undefined && random() < 0.4) world.exit(victim.pid, 'odd');
        if (random() < 0.7) await settle();
      }
      await settle();
      const at = `seed ${seed}`;
      if (incarnation() === 0) borne++;
      else expect(world.which(), at).toEqual([]);
      expect(world.runtime.processCount, at).toBe(2 + world.which().length);
      await bringDown(world);
    }
    expect(borne).toBeGreaterThan(5);
    expect(borne).toBeLessThan(95);
  });
});

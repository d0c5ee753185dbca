import { describe, expect, it } from 'vitest';
import {
  DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  GenServerRuntime,
  getDynamicSupervisorToken,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  type Pid,
  reply,
} from 'nestjs-genserver';
import { ManualClock, settle } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { moduleOf, started } from './support/application.js';

const KEYS = ['a', 'b', 'c'] as const;
const IDLE_MS = 100;

/** Everybody who was ever in `init`, by key. */
const holders = new Map<string, Pid[]>();

@GenServer({ start: 'on_demand', idleMs: IDLE_MS, supervisor: { maxRestarts: 1e6 } })
class Seat extends GenServerBase<string> {
  override init(key: string) {
    holders.set(key, [...(holders.get(key) ?? []), this.self.pid]);
    return Promise.resolve(ok(key));
  }
  @HandleCall() async key() {
    await Promise.resolve();
    return reply(this.state);
  }
  @HandleCast() crash() {
    throw new Error('boom');
    return noReply();
  }
  override async terminate() {
    await Promise.resolve();
  }
}

describe('getOrStart while holders crash, are killed, stopped and go idle at random', () => {
  it.each(Array.from({ length: 25 }, (_, at) => at + 1))(
    'never has two live holders of a key (seed %i)',
    async (seed) => {
      holders.clear();
      const random = seededRandom(seed);
      const clock = new ManualClock();
      const application = await started({
        imports: [
          moduleOf('HallModule', {
            providers: [
              Seat,
              { provide: 'seats', useFactory: (seats: unknown) => seats, inject: [getDynamicSupervisorToken(Seat)] },
            ],
          }),
        ],
        options: { clock },
      });
      const runtime = application.get(GenServerRuntime);
      const seats = application.get<DynamicSupervisorClient<Seat>>(getDynamicSupervisorToken(Seat));
      const alive = (key: string) => (holders.get(key) ?? []).filter((pid) => runtime.whereis(pid) !== undefined);
      const check = (step: string) => {
        for (const key of KEYS) expect(alive(key).length, `${key} after ${step}`).toBeLessThanOrEqual(1);
      };
      const answers: Promise<unknown>[] = [];
      const ask = (key: string): void => {
        const answer = seats.getOrStart(key, key).then((seat) => seat.key());
        // A caller whose request is being handled when the holder crashes is told so; none gets the answer of another.
        answers.push(
          answer.then(
            (told) => told === key,
            (error: { code?: string }) => error.code,
          ),
        );
      };
      const steps: Record<string, (key: string) => void> = {
        ask,
        'ask twice': (key) => (ask(key), ask(key)),
        crash: (key) => seats.client(key).crash(),
        kill: (key) => runtime.exit({ server: Seat, key }, 'kill'),
        shutdown: (key) => runtime.exit({ server: Seat, key }, 'shutdown'),
        terminate: (key) => void seats.terminateChild({ key }).catch(() => undefined),
      };
      const names = Object.keys(steps);
      for (let at = 0; at < 200; at++) {
        const name = names[Math.floor(random() * names.length)]!;
        steps[name]!(KEYS[Math.floor(random() * KEYS.length)]!);
        check(name);
        for (let turns = Math.floor(random() * 4); turns > 0; turns--) await Promise.resolve();
        check(`${name} and a moment`);
        if (random() < 0.1) await settle();
        if (random() < 0.05) await clock.advance(IDLE_MS);
        check(`${name} and a while`);
      }
      await settle();
      for (const key of KEYS) ask(key);
      const told = await Promise.all(answers);
      expect(told.slice(-KEYS.length)).toEqual([true, true, true]);
      const expected: unknown[] = [true, 'SERVER_EXITED', 'NO_PROCESS', 'START_FAILED'];
      expect(told.filter((answer) => !expected.includes(answer))).toEqual([]);
      expect(seats.countChildren().active).toBe(KEYS.length);
    },
  );
});

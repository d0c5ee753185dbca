import { describe, expect, it, vi } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { type Logger, LogReporter } from '../../lib/observability/log-reporter.js';
import { DynamicSupervisor, startDynamicSupervisor } from '../../lib/supervision/dynamic-supervisor.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, end, hang, type Job, treeWorld } from '../support/tree.js';

interface Line {
  readonly level: keyof Logger;
  readonly text: string;
  readonly stack?: string | undefined;
}

/** A world whose reports are collected. */
function reportedWorld() {
  const lines: Line[] = [];
  const logger: Logger = {
    error: (text, stack) => lines.push({ level: 'error', text, stack }),
    warn: (text) => lines.push({ level: 'warn', text }),
    log: (text) => lines.push({ level: 'log', text }),
    debug: (text) => lines.push({ level: 'debug', text }),
  };
  const world = treeWorld();
  const unsubscribe = new LogReporter(logger).subscribe(world.events);
  const at = (level: keyof Logger) => lines.filter((line) => line.level === level).map(({ text }) => text);
  return { ...world, lines, at, unsubscribe };
}

describe('LogReporter', () => {
  it('puts nothing into words while nobody would read it', async () => {
    const world = treeWorld();
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    let isRead = false;
    new LogReporter({ error: write, warn: write, log: write, debug: write }, () => isRead).subscribe(world.events);
    await world.supervise([world.worker('cart')]);
    const looked = vi.fn(() => 'a stack');
    const crashWithStack: Job = () => {
      throw Object.defineProperty(new Boom('boom'), 'stack', { get: looked });
    };
    await rejectionOf(world.call('cart', crashWithStack));
    await settle();
    expect(looked).not.toHaveBeenCalled();
    expect(written).toEqual([]);
    isRead = true;
    await rejectionOf(world.call('cart', crashWithStack));
    await settle();
    expect(looked).toHaveBeenCalled();
    expect(written.map((line) => line.split(' ', 2).join(' '))).toEqual(['CRASH REPORT', 'SUPERVISOR REPORT']);
  });

  describe('a crash', () => {
    it('is one error: a line of summary, the details, and the stack on its own', async () => {
      const world = reportedWorld();
      const pid = await world.start({
        label: 'Cart',
        init: () => ok({ items: ['apple'] }),
        handleCall: () => crash(null as never),
      });
      const calls = [world.call(pid, 'a'), world.call(pid, 'b')].map(rejectionOf);
      await Promise.all(calls);
      await settle();
      expect(world.lines).toEqual([
        {
          level: 'error',
          text: [
            'CRASH REPORT Cart <0.1.0> crashed in handleCall: Error: boom',
            "  state: { items: [ 'apple' ] }",
            "  last message: call 'a'",
            '  lost with it: 1 message still queued',
          ].join('\n'),
          stack: expect.stringMatching(/^Error: boom\n\s+at /),
        },
      ]);
    });

    it('has no stack when what was thrown is no error', async () => {
      const world = reportedWorld();
      const pid = await world.start({
        init: () => ok(null),
        handleCall: () => {
          throw { master: 'plan' };
        },
      });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines).toHaveLength(1);
      expect(world.lines[0]!.text).toContain("crashed in handleCall: { thrown: { master: 'plan' } }");
      expect(world.lines[0]!.stack).toBeUndefined();
    });

    it('by a result that is none says what would have been one', async () => {
      const world = reportedWorld();
      const pid = await world.start({ label: 'Cart', init: () => ok(null), handleCall: () => 42 });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines[0]!.text).toContain('crashed in handleCall: { badReturnValue: 42 }');
      expect(world.lines[0]!.text).toContain(
        'cause: BadReturnValueError: Cart.handleCall returned 42: handleCall returns',
      );
      expect(world.lines[0]!.stack).toContain('BadReturnValueError');
    });

    it('prints the stacks of the causes too', async () => {
      const world = reportedWorld();
      const pid = await world.start({
        init: () => ok(null),
        handleCall: () => {
          throw new Boom('outer', { cause: new Boom('inner') });
        },
      });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines[0]!.stack).toMatch(/^Error: outer\n[^]+\nCaused by: Error: inner\n/);
    });

    it('shows the state only as formatStatus gave it', async () => {
      const world = reportedWorld();
      const pid = await world.start({
        init: () => ok({ password: 'hunter2' }),
        handleCall: () => crash(null as never),
        formatStatus: () => ({ password: '(hidden)' }),
      });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines[0]!.text).toContain("state: { password: '(hidden)' }");
      expect(JSON.stringify(world.lines)).not.toContain('hunter2');
    });

    it('bounds the state in depth and length, however it is made', async () => {
      const world = reportedWorld();
      const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, i]));
      const deep = { a: { b: { c: { d: { e: 'deep' } } } } };
      const states = [
        wide,
        { wide },
        deep,
        new Array(100_000).fill('x'),
        new Map(Object.entries(wide)),
        'x'.repeat(1e6),
        [Array.from({ length: 10 }, () => wide)],
      ];
      for (const state of states) {
        const pid = await world.start({ init: () => ok(state as object), handleCall: () => crash(null as never) });
        await rejectionOf(world.call(pid, 'a'));
        await settle();
      }
      expect(world.lines).toHaveLength(states.length);
      for (const { text } of world.lines) expect(text.length).toBeLessThan(1_500);
      expect(world.lines.some(({ text }) => text.includes("'deep'"))).toBe(false);
    });

    it('does not run the getters of the state', async () => {
      const world = reportedWorld();
      let hasRun = false;
      const state = {
        get total() {
          hasRun = true;
          return 1;
        },
      };
      const pid = await world.start({ init: () => ok(state), handleCall: () => crash(null as never) });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines[0]!.text).toContain('state: { total: [Getter] }');
      expect(hasRun).toBe(false);
    });

    it('keeps to its own lines: a message cannot pass for an entry of the log', async () => {
      const world = reportedWorld();
      const pid = await world.start({
        init: () => ok(null),
        handleCall: () => {
          throw new Boom('first\nERROR forged\u001b[31mred');
        },
      });
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      const [summary, state] = world.lines[0]!.text.split('\n');
      expect(summary).toContain('Error: first ERROR forged [31mred');
      expect(state).toBe('  state: null');
    });
  });

  describe('a clean end', () => {
    it.each(['normal', 'shutdown', { shutdown: 'idle' }])('by %o logs nothing', async (reason) => {
      const world = reportedWorld();
      await world.supervise([world.worker('a', { restart: 'transient' })]);
      world.lines.length = 0;
      await rejectionOf(world.call('a', end(reason)));
      await settle();
      expect(world.lines).toEqual([]);
    });
  });

  it.each([
    ['an error when nobody waits for it', false, 'error'],
    ['for debugging when somebody does, who gets the failure', true, 'debug'],
  ] as const)('a task that failed is %s', async (_what, isAwaited, level) => {
    const world = reportedWorld();
    const { self } = await startProbe(world);
    const task = self.task(() => crash(null as never));
    if (isAwaited) await rejectionOf(task.await());
    await settle();
    const [line] = world.at(level);
    expect(line).toContain(`TASK REPORT Task of Probe ${task.pid.toString()} failed: Error: boom`);
    expect(line!.includes('Nobody waited for its result.')).toBe(!isAwaited);
    expect(world.at('error')).toHaveLength(isAwaited ? 0 : 1);
  });

  describe('a supervised child', () => {
    it('that crashes is reported once, by itself; its restart is for debugging', async () => {
      const world = reportedWorld();
      await world.supervise([world.worker('cart')]);
      world.lines.length = 0;
      await rejectionOf(world.call('cart', crash));
      await settle();
      expect(world.lines.map(({ level, text }) => [level, text.split('\n')[0]])).toEqual([
        ['error', 'CRASH REPORT cart <0.2.0> crashed in handleCall: Error: boom'],
        ['debug', "SUPERVISOR REPORT root: child 'cart' was started again as <0.2.1> after Error: boom"],
      ]);
    });

    it('that is killed is reported by its supervisor, since it cannot do so itself', async () => {
      const world = reportedWorld();
      await world.supervise([world.worker('cart')]);
      world.exit('cart', 'kill');
      await settle();
      expect(world.at('error')).toEqual([
        "SUPERVISOR REPORT root: child 'cart' <0.2.0> ended: 'killed'\n" +
          '  It ended by an exit signal: it was killed, or a process it is linked to ended.',
      ]);
    });

    it('that does not start is reported with what follows', async () => {
      const world = reportedWorld();
      await rejectionOf(world.supervise([world.worker('cart', { init: () => stop('no database') })]));
      expect(world.at('error')[1]).toBe(
        "SUPERVISOR REPORT root: child 'cart' did not start: 'no database'\n" +
          '  The children before it are stopped, and the supervisor does not start.',
      );
    });

    it('that does not start again is reported at each attempt, with its stack once', async () => {
      const world = reportedWorld();
      let starts = 0;
      const init = () => {
        if (starts++ > 0) throw new Boom(`start ${starts}`);
        return ok(null);
      };
      await world.supervise([world.worker('cart', { init })], { maxRestarts: 2 });
      await rejectionOf(world.call('cart', crash));
      await settle();
      const failed = world.lines.filter(({ text }) => text.includes('did not start again'));
      expect(failed.map(({ text }) => text.split('\n')[0])).toEqual([
        "SUPERVISOR REPORT root: child 'cart' did not start again: Error: start 2",
        "SUPERVISOR REPORT root: child 'cart' did not start again: Error: start 3",
      ]);
      for (const { stack } of failed) expect(stack).toBeUndefined();
      for (const { text } of failed) {
        expect(text.split('\n')[1]).toBe('  It is tried again; each attempt counts as a restart.');
      }
    });

    it('that lost its name to somebody else is named, with the holder, in one line whatever its name is', async () => {
      const world = reportedWorld();
      const name = 'user:1\nERROR forged';
      await startDynamicSupervisor(world.runtime, { label: 'users', name: 'users' });
      let starts = 0;
      const source = blueprintOfBehaviour({ label: 'user', init: () => (starts++ === 1 ? stop('no') : ok(null)) });
      const add = () => DynamicSupervisor.startChild(world.runtime, 'users', { source, options: { name } });
      const first = await add();
      world.exit(first, 'odd');
      await Promise.resolve();
      await Promise.resolve();
      const second = await add();
      await settle();
      expect(world.at('warn')).toEqual([
        `SUPERVISOR REPORT users: child 'user:1 ERROR forged' was not started again: ${second.toString()} has its name\n` +
          '  It is forgotten. Start it anew under another name, or when the other has ended.',
      ]);
      for (const text of world.at('error')) expect(text).not.toContain('\nERROR forged');
      await world.stop('users');
    });

    it('that takes too long to start is named', async () => {
      const world = reportedWorld();
      void rejectionOf(world.supervise([world.worker('cart', { init: () => new Promise(() => undefined) })]));
      await settle();
      await world.clock.advance(10_000);
      expect(world.at('warn')).toEqual([
        "SLOW START root: child 'cart' has been in init for 10000 ms\n" +
          '  Everything behind it waits. Give it a startTimeoutMs, or do the work in a @HandleContinue.',
      ]);
    });

    it('that uses its time to stop up is reported with what it left undone', async () => {
      const world = reportedWorld();
      await world.supervise([world.worker('cart', { shutdownMs: 200 })]);
      void rejectionOf(world.call('cart', hang));
      world.cast('cart', hang);
      await settle();
      const stopped = world.stop('root');
      await settle();
      await world.clock.advance(200);
      await stopped;
      expect(world.at('error')).toEqual([
        "SUPERVISOR REPORT root: child 'cart' <0.2.0> did not stop as it was asked to: 'killed'\n" +
          '  after: 200 ms\n' +
          '  lost with it: 1 message still queued\n' +
          '  It took longer than its shutdownMs; give it more time, or less to do in terminate.',
      ]);
    });
  });

  describe('a supervisor', () => {
    it('is a line of the log when it is the root, and for debugging when it is not', async () => {
      const world = reportedWorld();
      await world.supervise([world.supervisor('mid', [world.worker('a')]), world.worker('b')]);
      await world.stop('root', 'shutdown');
      expect(world.lines).toEqual([
        { level: 'debug', text: 'PROGRESS REPORT mid <0.2.0> is up: 1 child(ren) in 0 ms' },
        { level: 'log', text: 'PROGRESS REPORT root <0.1.0> is up: 2 child(ren) in 0 ms' },
        { level: 'debug', text: "PROGRESS REPORT mid <0.2.0> is down after 0 ms: 'shutdown'" },
        { level: 'log', text: "PROGRESS REPORT root <0.1.0> is down after 0 ms: 'shutdown'" },
      ]);
    });

    it('that gives up tells the whole story', async () => {
      const world = reportedWorld();
      await world.supervise([world.worker('cart')], { maxRestarts: 0 });
      await rejectionOf(world.call('cart', crash));
      await settle();
      expect(world.at('error')).toEqual([
        expect.stringContaining('CRASH REPORT cart'),
        'SUPERVISOR REPORT root gives up: more than 0 restart(s) within 5000 ms\n' +
          "  last child: 'cart', which ended with Error: boom\n" +
          '  strategy: one_for_one\n' +
          '  It stops its children and exits; its own supervisor decides what comes next.',
      ]);
    });
  });

  it('warns of a message that nobody expects', async () => {
    const world = reportedWorld();
    await world.start({ label: 'Cart', init: () => ok(null) }, { name: 'cart' });
    world.send('cart', { type: 'tick' });
    await settle();
    expect(world.at('warn')).toEqual([
      "UNEXPECTED MESSAGE Cart <0.1.0> got a message that no handler takes: { type: 'tick' }\n" +
        '  Handle it with @HandleInfo(tag), or find out who sends it. The server lives on.',
    ]);
  });

  it('warns once per destination and handler of dropped casts', () => {
    const world = reportedWorld();
    for (let i = 0; i < 3; i++) {
      world.cast('cart', 'clear');
      world.cast('cart', 'add');
      world.cast('other', 'clear');
    }
    expect(world.at('warn')).toEqual(
      ["clear to 'cart'", "add to 'cart'", "clear to 'other'"].map(
        (cast) => `CAST DROPPED ${cast}: no process\n  More of the same are dropped silently. Told once.`,
      ),
    );
  });

  it('remembers a bounded number of what it told once', () => {
    const world = reportedWorld();
    for (let i = 0; i < 2_500; i++) world.cast(`server ${i}`, 'clear');
    expect(world.at('warn')).toHaveLength(2_500);
    world.cast('server 0', 'clear');
    expect(world.at('warn')).toHaveLength(2_501);
  });

  it('warns once per server and way out of live state that is shared', async () => {
    const world = reportedWorld();
    const pid = await world.start({
      label: 'Cart',
      init: () => ok({ items: [] }),
      handleCall: (_request, _from, state) => reply(state),
    });
    await world.call(pid, 'all');
    await world.call(pid, 'all');
    expect(world.at('warn')).toEqual([
      'LIVE STATE SHARED Cart <0.1.0>: the reply of handleCall is its live state, which others can now change behind its back.\n' +
        "  Hand out a copy, freeze the state, or start the server with isolation: 'clone'. Told once.",
    ]);
  });

  it('warns of a listener that was detached, with its stack', async () => {
    const world = reportedWorld();
    world.events.on('process.spawned', () => {
      throw new Boom('in a listener');
    });
    await world.start({ init: () => ok(null) });
    expect(world.at('warn')[0]).toMatch(
      /^LISTENER DETACHED a listener threw on process.spawned and hears nothing any more: Error: in a listener\n {2}Error: in a listener\n/,
    );
  });

  it('tells of an unsupervised process that was killed only for debugging', async () => {
    const world = reportedWorld();
    const pid = await world.start({ label: 'Cart', init: () => ok(null) });
    world.exit(pid, 'kill');
    await settle();
    expect(world.lines).toEqual([{ level: 'debug', text: "PROCESS EXIT Cart <0.1.0>: 'killed'" }]);
  });

  it('says nothing any more when it has unsubscribed', async () => {
    const world = reportedWorld();
    world.unsubscribe();
    world.cast('nobody', 'hears');
    expect(world.lines).toEqual([]);
  });

  describe('never throws and is never detached', () => {
    const hostile: [string, unknown][] = [
      [
        'an inspector that throws',
        {
          [Symbol.for('nodejs.util.inspect.custom')]: () => {
            throw new Boom('inspect');
          },
        },
      ],
      [
        'a proxy that throws',
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Boom('proxy');
            },
          },
        ),
      ],
      [
        'an error whose message throws',
        Object.defineProperty(new Error('x'), 'message', {
          get: () => {
            throw new Boom('message');
          },
        }),
      ],
      [
        'an error whose stack throws',
        Object.defineProperty(new Error('x'), 'stack', {
          get: () => {
            throw new Boom('stack');
          },
        }),
      ],
      ['an error whose stack is a number', Object.assign(new Error('x'), { stack: 42 })],
      ['an object without a prototype', Object.create(null)],
    ];

    it.each(hostile)('by a state or message that is %s', async (_what, value) => {
      const world = reportedWorld();
      const init = () => ok(value as object);
      const behaviour = { label: 'Cart', init, handleCall: () => crash(null as never), handleCast: () => noReply() };
      const pid = await world.start(behaviour);
      world.send(pid, value);
      await rejectionOf(world.call(pid, 'a'));
      await settle();
      expect(world.lines.map(({ level }) => level)).toEqual(['warn', 'error']);
    });

    it.each(hostile)('by an exit reason that is %s', async (_what, value) => {
      const world = reportedWorld();
      await world.supervise([world.worker('cart')]);
      world.exit('cart', value);
      await settle();
      expect(world.at('error')).toHaveLength(1);
    });

    it('by a logger that throws', async () => {
      const world = treeWorld();
      const broken = () => {
        throw new Boom('disk full');
      };
      new LogReporter({ error: broken, warn: broken, log: broken, debug: broken }).subscribe(world.events);
      await world.supervise([world.worker('cart')]);
      await rejectionOf(world.call('cart', crash));
      await settle();
      expect(world.whereis('cart')).toMatchObject({ incarnation: 1 });
      expect(world.eventsOf('observability.listener_detached')).toEqual([]);
    });
  });
});

import { median } from './statistics.mjs';

const now = () => performance.now();
const turn = () => new Promise((r) => setImmediate(r));
const gc = () => {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
};
/** What is reachable, in bytes. */
export const heapUsed = async () => {
  await turn();
  gc();
  return process.memoryUsage().heapUsed;
};
const pct = (xs, p) => {
  const s = [...xs].sort((a, b) => a - b);
  return s[Math.min(s.length - 1, Math.floor(p * s.length))] ?? NaN;
};

// The machine may be shared: the rate per second of CPU time moves far less than the rate per second of wall time, and a warm-up
// that is counted in CPU time is a warm-up also when others have the CPU.
const cpuMs = (from) => {
  const c = process.cpuUsage(from);
  return (c.user + c.system) / 1000;
};
/** How often a second `step`, which does `per` operations, does one: for `ms` of CPU time, after `warm`. */
async function rate(step, per, warm, ms) {
  let from = process.cpuUsage();
  while (cpuMs(from) < warm) await step();
  await turn();
  let ops = 0;
  let cpu;
  from = process.cpuUsage();
  const begin = now();
  do {
    await step();
    ops += per;
  } while ((cpu = cpuMs(from)) < ms);
  return { wall: (ops / (now() - begin)) * 1000, cpu: (ops / cpu) * 1000 };
}
const both = (emit, name, r) => {
  emit(name, r.wall);
  emit(name + '.cpu', r.cpu);
};
async function timed(n, f) {
  const c = process.cpuUsage(),
    t = now();
  await f();
  return { wall: (n / (now() - t)) * 1000, cpu: (n / cpuMs(c)) * 1000 };
}

async function sequential(A, ctx, o, async) {
  const h = await A.start(ctx, { async });
  const step = A.sequence
    ? () => A.sequence(ctx, h, 500)
    : async () => {
        for (let i = 0; i < 500; i++) await A.call(ctx, h);
      };
  return rate(step, 500, o.warm, o.ms);
}

export const scenarios = {
  async seqCall(A, ctx, o, emit) {
    both(emit, 'seqCall', await sequential(A, ctx, o, false));
  },
  async seqCallAsync(A, ctx, o, emit) {
    both(emit, 'seqCallAsync', await sequential(A, ctx, o, true));
  },
  async pipelined(A, ctx, o, emit) {
    const h = await A.start(ctx, {});
    const step = A.batch
      ? () => A.batch(ctx, h, 1000)
      : async () => {
          const ps = new Array(1000);
          for (let i = 0; i < 1000; i++) ps[i] = A.call(ctx, h);
          await Promise.all(ps);
        };
    both(emit, 'pipelined', await rate(step, 1000, o.warm, o.ms));
  },
  async cast(A, ctx, o, emit) {
    const h = await A.start(ctx, {});
    const go = (n) =>
      timed(n, async () => {
        for (let i = 0; i < n; i++) A.cast(ctx, h);
        await A.flush(ctx, h);
      });
    await go(20000);
    await go(20000);
    gc();
    both(emit, 'cast100k', await go(100000));
    gc();
    if (Math.min(A.castN ?? 1e6, o.castN ?? 1e6) >= 1e6) both(emit, 'cast1M', await go(1e6));
  },
  async spawn(A, ctx, o, emit) {
    const { start, stop } = lifecycle(A, ctx);
    let first = 0;
    const startAll = (hs) =>
      timed(hs.length, async () => {
        first += hs.length;
        for (let i = 0; i < hs.length; i++) hs[i] = await start(first + i);
      });
    const stopAll = (hs) =>
      timed(hs.length, async () => {
        for (let i = 0; i < hs.length; i++) await stop(hs[i], first + i);
      });
    for (let i = -500; i < 0; i++) await stop(await start(i), i);
    const hs = new Array(A.spawnN ?? (o.quick ? 20_000 : 100_000)).fill(null);
    const h0 = await heapUsed();
    const firstStart = await startAll(hs);
    const h1 = await heapUsed();
    const firstStop = await stopAll(hs);
    hs.fill(null);
    await new Promise((r) => setTimeout(r, 100));
    const h2 = await heapUsed();
    emit('bytesPerIdle', (h1 - h0) / hs.length);
    emit('bytesAfterStop', (h2 - h0) / hs.length);
    emit('spawnStopFirst.cpu', 1 / (1 / firstStart.cpu + 1 / firstStop.cpu));
    // The first of an application pay for the compiler, and looking at memory pays for more of it.
    const few = new Array(1000).fill(null);
    const from = process.cpuUsage();
    do {
      await startAll(few);
      await stopAll(few);
    } while (cpuMs(from) < o.warm);
    few.fill(null);
    await turn();
    gc();
    // Three rounds: where a collection of the whole heap falls decides over a tenth of one.
    const rounds = [];
    for (let i = 0; i < 3; i++) rounds.push([await startAll(hs), await stopAll(hs)]);
    const mean = (pick) => rounds.length / rounds.reduce((sum, round) => sum + pick(...round), 0);
    emit(
      'spawnStop',
      mean((a, b) => 1 / a.wall + 1 / b.wall),
    );
    emit(
      'spawnStop.cpu',
      mean((a, b) => 1 / a.cpu + 1 / b.cpu),
    );
    emit(
      'spawnOnly.cpu',
      mean((a) => 1 / a.cpu),
    );
  },
  async pingpong(A, ctx, o, emit) {
    // Warmed up as long as calls are, in two rounds: a third would be one more class to the floor, which makes one each time.
    const round = async (n) => (await timed(n, () => A.pingpong(ctx, n))).cpu / 1000;
    const perMs = await round(40_000);
    const warm = await round(Math.floor(Math.min(5e6, Math.max(40_000, perMs * o.warm))));
    gc();
    const n = Math.floor(Math.min(5e6, Math.max(20_000, warm * o.ms)));
    both(emit, 'pingpong', await timed(n, () => A.pingpong(ctx, n)));
  },
  async restart(A, ctx, o, emit) {
    const s = await A.supervised(ctx);
    let generation = await s.generation();
    /** Crashes it and asks until the next incarnation has answered: how many microseconds that took. */
    const incident = async () => {
      await turn();
      const begin = now();
      s.crash();
      for (;;) {
        const answer = await s.generation().catch(() => generation);
        if (answer !== generation) {
          generation = answer;
          return (now() - begin) * 1000;
        }
        await turn();
      }
    };
    // The first crashes are those of an application whose code for them is not compiled yet.
    const until = now() + 8000;
    const first = [];
    while (first.length < 100 && now() < until) first.push(await incident());
    // An incident runs through so much code, so seldom, that the last of it is compiled after thousands of them.
    const from = process.cpuUsage();
    while (cpuMs(from) < 3 * o.warm && now() < until) await incident();
    // One at least, however slow.
    const us = [];
    do us.push(await incident());
    while (us.length < 1000 && now() < until);
    emit('restartFirstUs', pct(first, 0.5));
    emit('restartMedianUs', pct(us, 0.5));
    emit('restartP99Us', pct(us, 0.99));
    emit('restarts', us.length);
  },
  async fairness(A, ctx, o, emit) {
    const busy = await A.start(ctx, {}),
      other = await A.start(ctx, {});
    for (let i = 0; i < 20000; i++) A.cast(ctx, busy);
    await A.flush(ctx, busy);
    for (let i = 0; i < 2000; i++) await A.call(ctx, other);
    gc();
    await turn();
    const n = A.castN ?? 1e6;
    const t0 = now();
    for (let i = 0; i < n; i++) A.cast(ctx, busy);
    const t1 = now();
    let last = t1,
      drained = false;
    const gaps = [],
      lats = [];
    let wake;
    const ended = new Promise((r) => {
      wake = r;
    });
    const tick = setInterval(() => {
      const t = now();
      gaps.push(t - last);
      last = t;
      if (t - t1 > 5000) {
        wake();
        return;
      }
      A.call(ctx, other).then(
        () => lats.push(now() - t),
        () => lats.push(Infinity),
      );
    }, 1);
    A.flush(ctx, busy).then(() => {
      drained = now();
      setTimeout(wake, 5);
    });
    // one call at once as well: what a request that arrives right behind the backlog sees
    const tf = now();
    let first = NaN;
    A.call(ctx, other).then(() => {
      first = now() - tf;
      lats.push(first);
    });
    await ended;
    clearInterval(tick);
    const inside = gaps;
    emit('enqueueMs', t1 - t0);
    emit('drainMs', drained === false ? -1 : drained - t1);
    emit('maxStallMs', Math.max(...inside));
    emit('gapP99Ms', pct(inside, 0.99));
    emit('callP99Ms', pct(lats, 0.99));
    emit('callMaxMs', Math.max(...lats));
    emit('ticks', gaps.length);
  },
  /**
   * What a message costs while ever more processes live: all to one of them, and to all of them in turn. In one process, since two that
   * were measured a minute apart may have seen machines of different speed.
   */
  async population(A, ctx, { sizes, warm, ms }, emit) {
    const servers = new Array(sizes.at(-1)).fill(null);
    let [size] = sizes;
    let at = 0;
    const next = () => {
      if (++at >= size) at = 0;
      return servers[at];
    };
    const calls = (pick) => async () => {
      for (let i = 0; i < 500; i++) await A.call(ctx, pick());
    };
    const casts = (pick) => async () => {
      for (let i = 0; i < 1000; i++) A.cast(ctx, pick());
      await turn();
    };
    const one = () => servers[0];
    const steps = [
      ['callOneOf', calls(one), 500],
      ['castOneOf', casts(one), 1000],
      ['callEachOf', calls(next), 500],
      ['castEachOf', casts(next), 1000],
    ];
    for (let live = 0, i = 0; i < sizes.length; i++) {
      size = sizes[i];
      for (; live < size; live++) {
        servers[live] = await A.start(ctx, {});
        await A.call(ctx, servers[live]); // each has its mailbox
      }
      gc();
      for (const [name, step, per] of steps) {
        // The median of short slices: a curve must not bend because somebody else had the CPU for a moment.
        const costs = [];
        for (let slice = 0; slice < 5; slice++) {
          costs.push(1e9 / (await rate(step, per, slice === 0 ? warm : 0, ms / 3)).cpu);
        }
        emit(`${name}.${size}`, median(costs));
      }
    }
  },
  /** What a message costs while `size` others wait at the same server: the queue never gets shorter until the end. */
  async depth(A, ctx, { size }, emit) {
    const depth = Math.max(1, size);
    const n = Math.max(500_000, 2 * depth);
    await keepCalling(A, ctx, 1, 20_000);
    gc();
    emit(`callBehind.${size}`, 1e9 / (await timed(n, () => keepCalling(A, ctx, depth, n))).cpu);
    if (A.relay === undefined) return;
    await keepCasting(A, ctx, 1, 20_000);
    gc();
    emit(`castBehind.${size}`, 1e9 / (await timed(n, () => keepCasting(A, ctx, depth, n))).cpu);
  },
  /** What the start of one more process costs while up to `size` live. */
  async starts(A, ctx, { size }, emit) {
    const { start, stop } = lifecycle(A, ctx);
    for (let i = -500; i < 0; i++) await stop(await start(i), i);
    const hs = new Array(size).fill(null);
    const chunk = size / 10;
    const t = now();
    for (let begin = 0; begin < size; begin += chunk) {
      const { cpu } = await timed(chunk, async () => {
        for (let i = begin; i < begin + chunk; i++) hs[i] = await start(i);
      });
      emit(`startUsAt.${begin + chunk}`, 1e6 / cpu);
    }
    emit('startAllMs', now() - t);
  },
  /** What each variant of an idle process weighs. Globals: the optimizer may not find that nobody needs them any more. */
  async idleMemory(_A, _ctx, { variant, size }, emit) {
    const { prepare } = await import('./idle-memory.mjs');
    const start = (globalThis.start = await prepare[variant]());
    for (let i = 0; i < 500; i++) await start(-1 - i);
    const held = (globalThis.held = new Array(size).fill(null));
    const before = await heapUsed();
    for (let i = 0; i < size; i++) held[i] = await start(i);
    emit(`bytes.${variant}`, ((await heapUsed()) - before) / size);
  },
};

/** How servers of their own come and go. */
const lifecycle = (A, ctx) => ({
  start: A.spawn ? (i) => A.spawn(ctx, i) : () => A.start(ctx, {}),
  stop: A.despawn ? (h, i) => A.despawn(ctx, h, i) : (h) => A.stop(ctx, h),
});

/** `depth` callers, each of which calls again when it has its answer, until there were `n` calls. */
async function keepCalling(A, ctx, depth, n) {
  const h = await A.start(ctx, {});
  let unsent = n - depth,
    unanswered = n;
  return new Promise((done, failed) => {
    const answered = () => {
      if (--unanswered === 0) done();
      else if (unsent-- > 0) send();
    };
    const send = () => {
      A.call(ctx, h).then(answered, failed);
    };
    for (let i = 0; i < depth; i++) send();
  });
}

/** A server that replaces each message it handles, so that `depth` wait for it, until there were `n`. */
async function keepCasting(A, ctx, depth, n) {
  let unsent = n - depth,
    unhandled = n;
  return new Promise((done, failed) => {
    A.relay(ctx, () => {
      if (--unhandled === 0) done();
      else if (unsent-- > 0) send();
    }).then((relayed) => {
      send = relayed;
      for (let i = 0; i < depth; i++) send();
    }, failed);
    let send;
  });
}

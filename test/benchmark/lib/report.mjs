const median = (xs) => {
  const s = [...xs].sort((a, b) => a - b);
  return s.length ? s[s.length >> 1] : NaN;
};
const human = (x) =>
  !Number.isFinite(x)
    ? '–'
    : x >= 1e6
      ? (x / 1e6).toFixed(2) + ' M'
      : x >= 1e4
        ? (x / 1e3).toFixed(0) + ' k'
        : x >= 1e3
          ? (x / 1e3).toFixed(1) + ' k'
          : x >= 10
            ? x.toFixed(0)
            : x.toFixed(2);
export function report(data) {
  const get = (id, k) => data.runs[id]?.[k] ?? [];
  const order = { floor: 0, idiom: 1, library: 2, beam: 3 };
  const peers = [...data.peers].sort((a, b) => order[a.kind] - order[b.kind] || a.id.localeCompare(b.id));
  const base = 'floor';
  const lines = [];
  const table = (title, metrics, dir, pick, late) => {
    lines.push(
      '',
      `### ${title}`,
      '',
      `| peer | ${metrics.map((m) => m[1]).join(' | ')} |`,
      `| --- |${metrics.map(() => ' ---: |').join('')}`,
    );
    for (const p of peers) {
      const cells = metrics.map(([k, , rel]) => {
        const xs = get(p.id, k);
        if (!xs.length) return get(p.id, 'late:' + (k.startsWith(late) ? late : '')).length ? 'not done in time' : '–';
        const v = pick(xs, k);
        const b = pick(get(base, k), k);
        return human(v) + (rel && Number.isFinite(b) ? ` (${(v / b).toFixed(v / b >= 10 ? 0 : 2)}×)` : '');
      });
      if (cells.every((c) => c === '–')) continue;
      lines.push(`| ${p.name} | ${cells.join(' | ')} |`);
    }
  };
  const best = (xs) => Math.max(...xs);
  table(
    'Calls: operations per second of CPU time, median (ratio to the floor prototype)',
    [
      ['seqCall.cpu', 'one after another', 1],
      ['seqCallAsync.cpu', 'same, async handler', 1],
      ['pipelined.cpu', '1 000 at once', 1],
      ['clients1000.cpu', '1 000 client processes', 0],
    ],
    1,
    median,
    'seqCall',
  );
  table(
    'Calls: operations per second of wall time, best repetition',
    [
      ['seqCall', 'one after another', 1],
      ['seqCallAsync', 'same, async handler', 1],
      ['pipelined', '1 000 at once', 1],
      ['clients1000', '1 000 client processes', 0],
    ],
    1,
    best,
    'seqCall',
  );
  table(
    'Casts and ping-pong: messages per second of CPU time, median',
    [
      ['cast100k.cpu', '100 k casts + 1 call', 1],
      ['cast1M.cpu', '1 M casts + 1 call', 1],
      ['pingpong.cpu', 'ping-pong', 1],
    ],
    1,
    median,
    'cast',
  );
  table(
    'Casts and ping-pong: messages per second of wall time, best repetition',
    [
      ['cast100k', '100 k casts + 1 call', 1],
      ['cast1M', '1 M casts + 1 call', 1],
      ['pingpong', 'ping-pong', 1],
    ],
    1,
    best,
    'cast',
  );
  table(
    'Processes: median',
    [
      ['spawnStop.cpu', 'start + stop per CPU s', 1],
      ['spawnOnly.cpu', 'start only per CPU s', 1],
      ['bytesPerIdle', 'bytes per idle process', 1],
      ['bytesAfterStop', 'bytes left after stop', 0],
    ],
    1,
    median,
    'spawn',
  );
  table(
    'Supervisor restart, crash to first answer: µs',
    [
      ['restartMedianUs', 'median of medians', 1],
      ['restartP99Us', 'median of p99', 0],
      ['restarts', 'crashes measured', 0],
    ],
    -1,
    median,
    'restart',
  );
  const least = (xs) => Math.min(...xs);
  table(
    'Fairness under a backlog of 1 M casts (100 k for comedy, async-mutex, noex): ms, best repetition (on a shared machine a preempted process looks like a stall)',
    [
      ['enqueueMs', 'enqueue'],
      ['drainMs', 'drain'],
      ['maxStallMs', 'longest timer gap'],
      ['gapP99Ms', 'p99 timer gap'],
      ['callP99Ms', 'p99 call to another server'],
      ['callMaxMs', 'max'],
      ['ticks', 'timer ticks'],
    ],
    -1,
    least,
    'fairness',
  );
  lines.push(
    '',
    `Repetitions: ${data.repsDone}. Missing (–): not offered by that peer. Node ${data.machine.node}, ${data.machine.cpus} cores, shared with other work.`,
    '',
  );
  for (const p of peers) lines.push(`- ${p.name}: ${p.note}`);
  return '# Results\n' + lines.join('\n') + '\n';
}

import { spawnSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What the figures were taken on. */
export const machine = () => ({
  node: process.version,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()} ${arch()}`,
  loadAtStart: Number(loadavg()[0].toFixed(2)),
  commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout?.trim() || 'unknown',
});

/** Whether it had little else to do, so that times on the wall mean something. */
export const wasIdle = ({ loadAtStart, cores }) => loadAtStart <= cores / 2;

/** In one sentence. Numbers from a machine with other work on it say so: the load average at the start was not near 0. */
export const describeMachine = ({ machine: m, date, repsDone, quick }) =>
  `Node ${m.node}, ${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.system}; load average ${m.loadAtStart} at the start; ` +
  `${repsDone} ${repsDone === 1 ? 'repetition' : 'repetitions'}${quick ? ' of short slices' : ''}; ${date.slice(0, 10)}, commit ${m.commit}.`;

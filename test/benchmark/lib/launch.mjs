import { spawn } from 'node:child_process';

/** Runs a command to its end, or for `limitMs`; gives the metrics it printed, whether it was late, and what it complained of. */
export function launch(command, args, limitMs) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let complaint = '';
    let late = false;
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      if (complaint.length < 4000) complaint += data;
    });
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limitMs);
    child.on('error', (error) => {
      complaint += error.message;
    });
    child.on('close', () => {
      clearTimeout(timer);
      const metrics = {};
      for (const [, name, value] of out.matchAll(/^METRIC (\S+) (\S+)$/gm)) metrics[name] = Number(value);
      done({ metrics, late, complaint });
    });
  });
}

/** The line of a complaint that says what went wrong. */
export const gistOf = (complaint) =>
  complaint.split('\n').find((line) => /Error/.test(line)) ?? complaint.trim().slice(0, 200);

/** In a process of its own: an adapter through a scenario. */
export const launchScenario = (adapter, scenario, options, limitMs = 30_000) =>
  launch(process.execPath, ['--expose-gc', 'child.mjs', adapter, scenario, JSON.stringify(options)], limitMs);

export const shuffled = (items) =>
  items
    .map((item) => [Math.random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

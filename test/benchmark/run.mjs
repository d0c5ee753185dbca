// Runs every adapter x scenario, each in a process of its own, interleaved: one repetition of all, then the next.
// node run.mjs [--reps 5] [--quick] [--only a,b] [--scenarios x,y] [--budget seconds]
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { dirname } from 'node:path';
import { report } from './lib/report.mjs';

// Wherever it is called from, adapters and results are those beside it.
process.chdir(import.meta.dirname);

const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k);
  return i < 0 ? d : process.argv[i + 1];
};
const quick = process.argv.includes('--quick');
const reps = Number(arg('reps', 5)),
  budget = Number(arg('budget', 1e9)) * 1000;
const names = ['seqCall', 'seqCallAsync', 'pipelined', 'cast', 'spawn', 'pingpong', 'restart', 'fairness'];
const chosen = arg('scenarios', names.join()).split(',');
const only = arg('only', '')?.split(',').filter(Boolean);
const files = readdirSync('adapters').filter(
  (f) => f.endsWith('.mjs') && (!only.length || only.includes(f.slice(0, -4))),
);
/** A scenario that takes longer counts as not done in time. */
const MOST_MS = 12_000;
const opts = { warm: 150, ms: quick ? 200 : 300 };

const peers = [];
for (const f of files) {
  try {
    const A = (await import(`./adapters/${f}`)).default;
    if (A.setup && A.kind === 'library') await A.setup().then((c) => A.teardown?.(c));
    peers.push({ id: f.slice(0, -4), file: f, name: A.name, kind: A.kind, note: A.note, skip: A.skip ?? [], A });
  } catch (e) {
    console.log(`left out ${f}: ${e.code ?? e.message}`);
  }
}
function once(cmd, args, limit) {
  return new Promise((done) => {
    const p = spawn(cmd, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '',
      err = '',
      late = false;
    p.stdout.on('data', (d) => {
      out += d;
    });
    p.stderr.on('data', (d) => {
      if (err.length < 2000) err += d;
    });
    const t = setTimeout(() => {
      late = true;
      p.kill('SIGKILL');
    }, limit);
    p.on('error', (e) => {
      err += e.message;
    });
    p.on('close', () => {
      clearTimeout(t);
      const m = {};
      for (const [, k, v] of out.matchAll(/^METRIC (\S+) (\S+)$/gm)) m[k] = Number(v);
      done({ m, late, err });
    });
  });
}

const out = arg('out', 'results/results.json');
mkdirSync(dirname(out), { recursive: true });
const data = {
  machine: { node: process.version, cpus: cpus().length, arch: arch() },
  reps,
  peers: peers.map(({ A: _adapter, ...p }) => p),
  runs: {},
};
if (process.argv.includes('--add') && existsSync(out)) {
  const old = JSON.parse(readFileSync(out));
  data.runs = old.runs;
  data.peers = [...data.peers, ...old.peers.filter((p) => !data.peers.some((q) => q.id === p.id))];
}
const bad = {},
  fresh = new Set();
const t0 = Date.now();
const store = (id, k, v) => {
  // with --add a metric measured anew replaces the old values
  const of = (data.runs[id] ??= {});
  if (!fresh.has(id + '/' + k)) {
    fresh.add(id + '/' + k);
    of[k] = [];
  }
  of[k].push(v);
};
for (let r = 0; r < reps && Date.now() - t0 < budget; r++) {
  for (const s of chosen) {
    const order = peers
      .map((p) => [Math.random(), p])
      .sort((a, b) => a[0] - b[0])
      .map((x) => x[1]);
    for (const p of order) {
      const key = p.id + '/' + s;
      if (p.skip.includes(s) || bad[key] >= 1) continue;
      const run = () => once(process.execPath, ['--expose-gc', 'child.mjs', p.file, s, JSON.stringify(opts)], MOST_MS);
      let result = await run();
      if (!result.late && Object.keys(result.m).length === 0) {
        const { err } = result;
        console.log(
          `${key}: no result, once more (${err.split('\n').find((l) => /Error/.test(l)) ?? err.slice(0, 100)})`,
        );
        result = await run();
      }
      const { m, late } = result;
      if (late) bad[key] = 1;
      for (const [k, v] of Object.entries(m)) store(p.id, k, v);
      if (late) store(p.id, 'late:' + s, 1);
    }
  }
  data.repsDone = r + 1;
  writeFileSync(out, JSON.stringify(data, null, 1));
  writeFileSync(out.replace(/json$/, 'md'), report(data));
  console.log(`repetition ${r + 1} of ${reps} done, ${Math.round((Date.now() - t0) / 1000)} s`);
}

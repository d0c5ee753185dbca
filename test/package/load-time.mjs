// node test/package/load-time.mjs [--runs 15] [other.tgz …]
//
// How long the built package takes to load, in milliseconds of a new process each: alone, and where the peers have been loaded, as an
// application does that. By the wall, and in CPU time, which holds on a busy machine too. With packages beside it (`npm pack` of another
// version), runs alternate. Uses the Node that runs it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '15' } },
  allowPositionals: true,
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a whole number, 1 or more, got: ${values.runs}`);

const root = fileURLToPath(new URL('../..', import.meta.url));
const PEERS = ['reflect-metadata', '@nestjs/common', '@nestjs/core', 'rxjs'];
const requirePeers = PEERS.map((peer) => `require('${peer}');`).join('');
const importPeers = PEERS.map((peer) => `await import('${peer}');`).join('');
const timed = (before, load) => `(async () => {
  ${before}
  const cpu = process.cpuUsage();
  const begin = performance.now();
  ${load}
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ wall, cpu: (user + system) / 1_000 }));
})()`;
const PROGRAMS = {
  require: timed('', `require('nestjs-genserver');`),
  import: timed('', `await import('nestjs-genserver');`),
  'require, peers loaded': timed(requirePeers, `require('nestjs-genserver');`),
  'import, peers loaded': timed(importPeers, `await import('nestjs-genserver');`),
  'require of the core': timed('', `require('nestjs-genserver/core');`),
  'import of the core': timed('', `await import('nestjs-genserver/core');`),
};

const folder = mkdtempSync(join(tmpdir(), 'load-time-'));
try {
  const own = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  );
  const packages = [join(folder, own[0].filename), ...positionals.map((path) => resolve(path))];
  const apps = packages.map((tarball, at) => ({
    name: at === 0 ? 'this' : basename(tarball),
    path: install(tarball, at),
  }));
  const rows = Object.entries(PROGRAMS).flatMap(([what, program]) => {
    const times = apps.map(() => []);
    for (let run = 0; run < runs; run++) {
      apps.forEach(({ path }, at) => {
        const printed = execFileSync(process.execPath, ['--no-warnings', '-e', program], { cwd: path });
        times[at].push(JSON.parse(printed));
      });
    }
    return apps.map(({ name }, at) => {
      const [wall, cpu] = ['wall', 'cpu'].map((kind) => times[at].map((time) => time[kind]).sort((a, b) => a - b));
      return { what, package: name, ...summary('wall', wall), ...summary('CPU', cpu) };
    });
  });
  console.log(`Node ${process.version}, ${runs} runs`);
  console.table(rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function summary(kind, sorted) {
  return {
    [`${kind}, least`]: Number(sorted[0].toFixed(1)),
    [`${kind}, median`]: Number(sorted[sorted.length >> 1].toFixed(1)),
  };
}

/** A folder with the package in it, and the peers of the repository. */
function install(tarball, at) {
  const app = join(folder, `app-${at}`);
  const target = join(app, 'node_modules/nestjs-genserver');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  for (const peer of ['@nestjs', 'reflect-metadata', 'rxjs']) {
    symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
  }
  return app;
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Each door, and the file behind it in the CommonJS build. */
const FILES: Readonly<Record<string, string>> = {
  'nestjs-genserver': 'index',
  'nestjs-genserver/core': 'core',
  'nestjs-genserver/testing': 'testing/index',
};
const doors = Object.keys(FILES);

describe('the packed package', () => {
  let app: string;

  beforeAll(() => {
    requireBuild('esm/index.js');
    app = mkdtempSync(join(tmpdir(), 'nestjs-genserver-'));
    const installed = join(app, 'node_modules/nestjs-genserver');
    mkdirSync(installed, { recursive: true });
    const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', app], root);
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    run('tar', ['-xzf', filename, '-C', installed, '--strip-components=1'], app);
    for (const peer of ['@nestjs', 'reflect-metadata', 'rxjs']) {
      symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
    }
  });

  afterAll(() => {
    rmSync(app, { recursive: true, force: true });
  });

  it('holds the two builds, the texts and nothing else', () => {
    const entries = run('ls', ['-A', 'node_modules/nestjs-genserver', 'node_modules/nestjs-genserver/dist'], app);
    expect(entries).not.toMatch(/^(lib|test|sample|node_modules)$/m);
    expect(entries).toMatch(/^cjs$/m);
    expect(entries).toMatch(/^esm$/m);
  });

  describe.each(doors)('%s', (door) => {
    it('is imported by an ES module', () => {
      expect(evaluate('module', `console.log(Object.keys(await import('${door}')).length)`)).toBeGreaterThan(0);
    });

    it('is required by a CommonJS module', () => {
      expect(evaluate('commonjs', `console.log(Object.keys(require('${door}')).length)`)).toBeGreaterThan(0);
    });

    it('gives both the same things, not two copies', () => {
      const source = `
        const required = require('${door}');
        import('${door}').then((imported) => {
          const names = [...new Set([...Object.keys(required), ...Object.keys(imported)])];
          console.log(JSON.stringify(names.filter((name) => required[name] !== imported[name])));
        });`;
      expect(evaluate('commonjs', source)).toEqual([]);
    });

    it('has a CommonJS build for tools that do not know module-sync, with the same names', () => {
      const file = FILES[door];
      const source = `
        const required = Object.keys(require('./node_modules/nestjs-genserver/dist/cjs/${file}.js'));
        import('${door}').then((imported) => {
          console.log(JSON.stringify([required.sort(), Object.keys(imported).sort()]));
        });`;
      const [required, imported] = evaluate('commonjs', source) as [string[], string[]];
      expect(required).toEqual(imported);
    });
  });

  /** What a program of that kind, written in the app, prints. */
  function evaluate(kind: 'module' | 'commonjs', source: string): unknown {
    const file = `program.${kind === 'module' ? 'mjs' : 'cjs'}`;
    writeFileSync(join(app, file), source);
    return JSON.parse(run(process.execPath, ['--no-warnings', file], app));
  }
});

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

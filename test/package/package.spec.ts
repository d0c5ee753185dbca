import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORS, specifierOf } from './build/doors.mjs';
import { requireBuild } from './require-build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const doors = Object.keys(DOORS).map(specifierOf);
/** Of everything in the package, unpacked: the texts, the code and the declarations. */
const MOST_BYTES = 1_500_000;

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

describe('the packed package', () => {
  let app: string;
  let packed: Packed;

  beforeAll(() => {
    requireBuild('esm/index.js');
    app = mkdtempSync(join(tmpdir(), 'nestjs-genserver-'));
    const installed = join(app, 'node_modules/nestjs-genserver');
    mkdirSync(installed, { recursive: true });
    const printed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', app], root);
    [packed] = JSON.parse(printed) as [Packed];
    run('tar', ['-xzf', packed.filename, '-C', installed, '--strip-components=1'], app);
    for (const peer of ['@nestjs', 'reflect-metadata', 'rxjs']) {
      symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
    }
  }, 120_000);

  afterAll(() => {
    rmSync(app, { recursive: true, force: true });
  });

  it('is not bigger than a user should have to download', () => {
    expect(packed.unpackedSize).toBeLessThan(MOST_BYTES);
  });

  it('holds the code once, its declarations, its texts and nothing else', () => {
    const known =
      /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|lib\/docs\/.+|dist\/(?:cjs|esm)\/.+\.(?:js|d\.ts)|dist\/cjs\/package\.json)$/;
    expect(packed.files.map(({ path }) => path).filter((path) => !known.test(path))).toEqual([]);
    const code = packed.files.map(({ path }) => path).filter((path) => /^dist\/.*\.js$/.test(path));
    const perDoor = Object.values(DOORS).flatMap((entry) => [
      `dist/cjs/${entry}.js`,
      `dist/cjs/chunks/${entry.replace(/\/index$/, '')}.js`,
      `dist/esm/${entry}.js`,
    ]);
    expect(code.sort()).toEqual(perDoor.sort());
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
  });

  it('gives a CommonJS build to tools that know neither `exports` nor ES modules', () => {
    const { main } = JSON.parse(readFileSync(join(app, 'node_modules/nestjs-genserver/package.json'), 'utf8')) as {
      main: string;
    };
    const source = `console.log(require('./node_modules/nestjs-genserver/${main}') === require('nestjs-genserver'))`;
    expect(evaluate('commonjs', source)).toBe(true);
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

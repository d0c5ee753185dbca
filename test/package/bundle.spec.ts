import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceFiles } from '../support/source-files.js';
import { DOORS, specifierOf } from './build/doors.mjs';
import { requireBuild } from './require-build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const doors = Object.keys(DOORS).map(specifierOf);
/** Nest loads what it finds of its optional packages: it stays outside, with what it shares with the application. */
const PEERS = ['@nestjs/*', 'rxjs', 'reflect-metadata'];

/** What is bundled stands here, where the package finds itself. */
let app: string;

beforeAll(() => {
  requireBuild('cjs/index.js');
  app = mkdtempSync(join(root, 'dist/bundle-'));
});

afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

/** Bundles a program, and gives the file. */
async function bundle(source: string, format: 'esm' | 'cjs', options: BuildOptions = {}): Promise<string> {
  const entry = join(app, 'program.mjs');
  const outfile = join(app, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`);
  writeFileSync(entry, source);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format,
    platform: 'node',
    external: PEERS,
    logLevel: 'error',
    ...options,
  });
  return outfile;
}

/** For what is outside of a bundle that is an ES module: CommonJS in it has no `require` otherwise. */
const WITH_REQUIRE = {
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
};

const run = (file: string) => execFileSync(process.execPath, ['--no-warnings', file], { encoding: 'utf8' }).trim();

describe.each(['esm', 'cjs'] as const)('a bundle in the format %s', (format) => {
  const options = format === 'esm' ? WITH_REQUIRE : {};

  it('holds one copy of the code, however many doors are imported and required', async () => {
    const imports = doors.map((door, at) => `import * as imported${at} from '${door}';`);
    const pairs = doors.map((door, at) => `[imported${at}, require('${door}')]`);
    const file = await bundle(
      `${imports.join('\n')}
       const different = [${pairs.join(', ')}].flatMap(([imported, required]) =>
         Object.keys(required).filter((name) => imported[name] !== required[name]));
       console.log(JSON.stringify(different));`,
      format,
      options,
    );
    expect(run(file)).toBe('[]');
    expect(readFileSync(file, 'utf8').match(/\bGenServerBase = class\b/g)).toHaveLength(1);
  });

  it('needs no `require` for the door without Nest', async () => {
    const file = await bundle(
      `import { createWorld, GenServer, ok, reply } from 'nestjs-genserver/core';
       const counter = { init: () => ok(1), handleCall: (n, _from, count) => reply(count + n, count) };
       const { runtime } = createWorld();
       GenServer.start(runtime, counter).then((pid) => GenServer.call(runtime, pid, 41)).then(console.log);`,
      format,
    );
    expect(run(file)).toBe('42');
  });

  it('does not hold what is imported and not used', async () => {
    const file = await bundle(
      `import { GenServerModule } from 'nestjs-genserver';
       import { createWorld } from 'nestjs-genserver/core';
       import 'nestjs-genserver/testing';
       console.log('small');`,
      format,
    );
    expect(readFileSync(file, 'utf8').length).toBeLessThan(1_000);
    expect(run(file)).toBe('small');
  });
});

describe('the error classes', () => {
  /** Whatever is asked of it, or done with it: what the constructors of errors make their messages of. */
  const anything: unknown = new Proxy(() => undefined, {
    get: (_target, key) => (key === Symbol.toPrimitive ? () => 'anything' : key === 'length' ? 1 : anything),
    apply: () => anything,
  });
  /** Where a constructor looks its argument up. */
  const LOOKED_UP: Readonly<Record<string, readonly unknown[]>> = {
    LimitExceededError: ['a server', 'monitors', 1],
  };
  type ErrorClass = new (...args: unknown[]) => Error & { code: string };

  it('name their instances rightly in a bundle that has been minified', async () => {
    const imports = doors.map((door, at) => `import * as door${at} from '${door}';`);
    const file = await bundle(
      `${imports.join('\n')}\nexport default { ${doors.map((_door, at) => `...door${at}`).join(', ')} };`,
      'cjs',
      { minify: true },
    );
    const all = (createRequire(import.meta.url)(file) as { default: Record<string, unknown> }).default;
    const base = all.GenServerError as ErrorClass;
    const classes = Object.entries(all).filter(
      (entry): entry is [string, ErrorClass] => typeof entry[1] === 'function' && entry[1].prototype instanceof base,
    );
    expect(classes.length).toBeGreaterThan(30);
    // The bundle is one that renames classes.
    expect(classes.filter(([name, type]) => type.name === name)).toEqual([]);
    for (const [name, type] of classes) {
      const args = LOOKED_UP[name] ?? Array.from({ length: 8 }, () => anything);
      expect(new type(...args).name).toBe(name);
    }
  });

  it('say their names in lib, those that are not exported as well', () => {
    const classes = sourceFiles('lib').flatMap(({ text }) => [
      ...text.matchAll(/^(?:export )?class (\w+) extends (?:\w*Error)\b([^]*?)^\}/gm),
    ]);
    expect(classes.length).toBeGreaterThan(30);
    const wrong = classes.filter(([, name, body]) => !new RegExp(`\\bname = '${name!}';`).test(body!));
    expect(wrong.map(([, name]) => name)).toEqual([]);
  });
});

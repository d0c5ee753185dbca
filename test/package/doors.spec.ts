import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { DOORS, filesOf, PACKAGE, specifierOf } from './build/doors.mjs';
import { requireBuild } from './require-build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const doors = Object.entries(DOORS);
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Record<string, unknown>;

beforeAll(() => requireBuild('cjs/index.js'));

describe('package.json', () => {
  it('has the name by which the doors are imported', () => {
    expect(manifest.name).toBe(PACKAGE);
  });

  it('exports every door to `import` and to everything else, and nothing but the doors', () => {
    const expected = doors.map(([subPath, entry]) => {
      const { esm, esmTypes, cjs, cjsTypes } = filesOf(entry);
      return [subPath, { import: { types: esmTypes, default: esm }, default: { types: cjsTypes, default: cjs } }];
    });
    expect(manifest.exports).toEqual({ ...Object.fromEntries(expected), './package.json': './package.json' });
  });

  it('has `types` before what they are the types of, since the first condition that fits is taken', () => {
    for (const conditions of Object.values(manifest.exports as Record<string, Record<string, object>>)) {
      if (typeof conditions === 'string') continue;
      expect(Object.keys(conditions)).toEqual(['import', 'default']);
      for (const files of Object.values(conditions)) expect(Object.keys(files)).toEqual(['types', 'default']);
    }
  });

  it('tells tools that know no exports where the doors are', () => {
    const { cjs, cjsTypes } = filesOf(DOORS['.']!);
    const others = doors.filter(([subPath]) => subPath !== '.');
    expect(manifest).toMatchObject({ main: cjs, types: cjsTypes });
    expect(manifest.typesVersions).toEqual({
      '*': Object.fromEntries(others.map(([subPath, entry]) => [subPath.slice(2), [filesOf(entry).cjsTypes]])),
    });
  });
});

describe('tsconfig.json', () => {
  it('finds every door in lib', () => {
    const { compilerOptions } = JSON.parse(readFileSync(`${root}/tsconfig.json`, 'utf8')) as {
      compilerOptions: { paths: unknown };
    };
    const expected = doors.map(([subPath, entry]) => [specifierOf(subPath), [`./lib/${entry}.ts`]]);
    expect(compilerOptions.paths).toEqual(Object.fromEntries(expected));
  });
});

describe.each(doors)('the door %s', (_subPath, entry) => {
  const { esm, cjs } = filesOf(entry);

  it('has the names that its source exports, built as an ES module and as CommonJS', async () => {
    const source = Object.keys((await import(pathToFileURL(`${root}/lib/${entry}.ts`).href)) as object).sort();
    const imported = (await import(/* @vite-ignore */ pathToFileURL(`${root}/${esm}`).href)) as object;
    const required = createRequire(import.meta.url)(`${root}/${cjs}`) as object;
    expect(source.length).toBeGreaterThan(0);
    expect(Object.keys(imported).sort()).toEqual(source);
    expect(Object.keys(required).sort()).toEqual(source);
  });

  it('is CommonJS in strict mode, as ES modules are', () => {
    expect(readFileSync(`${root}/${cjs}`, 'utf8')).toMatch(/^"use strict";/);
  });
});

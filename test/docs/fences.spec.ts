import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { compile } from '../types/compile.js';
import { ROOT, textOf } from './markdown.js';
import { normalised, readDocumentation } from './programs.js';

const { programs, excerpts, notRun } = readDocumentation();
const pathOf = (at: number) => `test/docs/program-${at}.ts`;

describe('the programs of the documentation', () => {
  const compiled = compile(new Map(programs.map(({ code }, at) => [pathOf(at), code])));

  it('are there', () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  it.each(programs.map(({ name }, at) => [name, at] as const))('%s: compiles', (_name, at) => {
    expect(compiled.get(pathOf(at))!.errors).toEqual([]);
  });

  it.each(programs.map(({ name }, at) => [name, at] as const))('%s: prints what it says it does', async (_name, at) => {
    // In dist, which is no source, and below node_modules' parent, so that the program finds what it imports.
    const path = join(ROOT, 'dist', 'docs', `program-${at}.js`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, compiled.get(pathOf(at))!.code);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
      printed.push(...format(...values).split('\n'));
    });
    try {
      await import(/* @vite-ignore */ `${path}?${Date.now()}`);
    } finally {
      log.mockRestore();
    }
    const { expected } = programs[at]!;
    if (expected !== undefined) expect(printed.map(normalised)).toEqual(expected.map(normalised));
  });
});

describe('the fences that are not run', () => {
  it('say why', () => {
    expect(notRun.filter(({ reason }) => reason === '')).toEqual([]);
  });
});

describe('the excerpts of the documentation', () => {
  it('stand in the files they are from', () => {
    const strays = excerpts.filter(
      ({ fence, files }) => !files.some((file) => textOf(file).includes(fence.text.trim())),
    );
    expect(strays.map(({ fence }) => `${fence.page}:${fence.line}`)).toEqual([]);
  });
});

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = join(
  createRequire(join(root, 'test/compat/jest/package.json')).resolve('jest/package.json'),
  '../bin/jest.js',
);

/** An application on Nest 11 with Jest, as `nest new` made them: CommonJS, and our CommonJS build behind every door. */
let app: string;

beforeAll(() => {
  requireBuild('cjs/index.js');
  app = mkdtempSync(join(tmpdir(), 'nestjs-genserver-jest-'));
  mkdirSync(join(app, 'node_modules/nestjs-genserver'), { recursive: true });
  for (const part of ['dist/esm', 'dist/cjs', 'package.json']) {
    cpSync(join(root, part), join(app, 'node_modules/nestjs-genserver', part), { recursive: true });
  }
  symlinkSync(join(root, 'test/compat/nest-11.2.10/node_modules/@nestjs'), join(app, 'node_modules/@nestjs'));
  for (const peer of ['reflect-metadata', 'rxjs']) {
    symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
  }
  cpSync(join(root, 'test/package/fixtures/jest'), app, { recursive: true });
});

afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

it('the test kit passes its smoke test under Jest, with real and with fake timers', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [jest, '--ci', '--runInBand', '--rootDir', app], {
    cwd: app,
  }).catch((failure: { stdout: string; stderr: string }) => failure);
  const [, passed, total] = /^Tests: +(\d+) passed, (\d+) total$/m.exec(stderr) ?? [];
  expect({ passed, total }, stderr).toEqual({ passed: total, total: expect.stringMatching(/^[1-9]/) });
});

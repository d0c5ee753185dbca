import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from './require-build.js';

const fixture = fileURLToPath(new URL('./fixtures/hot-reload.mjs', import.meta.url));

beforeAll(() => requireBuild('esm/index.js'));

describe('applications whose classes are evaluated anew', () => {
  it('leave nothing behind when they are closed, also while another one runs', () => {
    const output = execFileSync(process.execPath, ['--expose-gc', fixture, '30'], { encoding: 'utf8' });
    // Those of the application that runs, which nothing else keeps: it needs neither what nobody gives nor who asked for that.
    const left = JSON.parse(output) as Record<string, number>;
    expect(left).toEqual({
      'server classes': 3,
      'consumer classes': 1,
      'module classes': 1,
      applications: 1,
      worlds: 1,
    });
  });
});

import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

/** What `npm run lint` makes of a file of the library, as far as time and chance are concerned. */
async function lint(path: string, text: string): Promise<string[]> {
  const { rules } = (await new ESLint().calculateConfigForFile(path)) as { rules: Linter.RulesRecord };
  const banning = Object.entries(rules).filter(([name]) => name.startsWith('no-restricted-'));
  const config = {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser as Linter.Parser },
    rules: Object.fromEntries(banning),
  };
  return new Linter().verify(text, config, { filename: path }).map(({ message }) => message);
}

const REFUSED = [
  'Date.now()',
  'Math.random()',
  'setTimeout(f, 1)',
  'setInterval(f, 1)',
  'setImmediate(f)',
  'queueMicrotask(f)',
  'performance.now()',
  'process.nextTick(f)',
  'process.hrtime()',
  'crypto.randomUUID()',
  'globalThis.setTimeout(f, 1)',
  'globalThis.performance.now()',
  'globalThis.crypto.randomUUID()',
  "import { randomUUID } from 'node:crypto'",
  "import { performance } from 'node:perf_hooks'",
  "import { setTimeout } from 'node:timers/promises'",
  "import { nextTick } from 'node:process'",
];

describe('the linter', () => {
  it.each(REFUSED)('refuses %s in the library', async (code) => {
    const messages = await lint('lib/runtime/scheduling/scheduler.ts', `${code};`);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain('lib/runtime/system-ports.ts');
  });

  it.each(['lib/core.ts', 'lib/supervision/supervisor-server.ts', 'lib/nest/clients/client-target.ts'])(
    'refuses it at any depth: %s',
    async (path) => {
      expect(await lint(path, "import { randomUUID } from 'node:crypto'; Date.now();")).toHaveLength(2);
    },
  );

  it('lets the one file that is the port use them', async () => {
    const text = "import { performance } from 'node:perf_hooks'; setTimeout(f, Date.now() + Math.random());";
    expect(await lint('lib/runtime/system-ports.ts', text)).toEqual([]);
  });
});

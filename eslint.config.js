import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const ports = 'Time and chance come in through the ports of lib/runtime/system-ports.ts.';

const globalTimers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];

/** How a file of lib/, `depth` folders down, could spell lib/index.ts. */
const libIndex = (depth) => `${depth === 0 ? './' : '../'.repeat(depth)}index.js`;

/** Banned in lib/ at each depth: the public door, and the modules that are the clock and the dice under another name. */
const libImports = [0, 1, 2, 3].map((depth) => ({
  files: [`lib/${'*/'.repeat(depth)}*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [
          ...[libIndex(depth), 'nestjs-genserver', 'nestjs-genserver/core', 'nestjs-genserver/testing'].map((name) => ({
            name,
            message: 'The public door is for users: import the file itself.',
          })),
          ...['node:timers', 'node:timers/promises', 'node:perf_hooks', 'timers', 'timers/promises', 'perf_hooks'].map(
            (name) => ({ name, message: ports }),
          ),
          ...['node:crypto', 'crypto'].map((name) => ({ name, importNames: ['randomUUID'], message: ports })),
          ...['node:process', 'process'].map((name) => ({ name, importNames: ['nextTick', 'hrtime'], message: ports })),
        ],
      },
    ],
  },
}));

export default defineConfig(
  { ignores: ['dist', 'coverage'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    // No consistent-type-imports: its fix turns the classes that Nest injects into type imports.
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/runtime/system-ports.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', ...globalTimers.map((name) => ({ name, message: ports }))],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: ports },
        { object: 'Math', property: 'random', message: ports },
        { object: 'performance', property: 'now', message: ports },
        { object: 'crypto', property: 'randomUUID', message: ports },
        ...['nextTick', 'hrtime'].map((property) => ({ object: 'process', property, message: ports })),
        ...[...globalTimers, 'performance', 'crypto'].map((property) => ({
          object: 'globalThis',
          property,
          message: ports,
        })),
      ],
    },
  },
  ...libImports,
  {
    files: ['lib/runtime/system-ports.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // Servers in tests throw anything and are async for the sake of it; supertest bodies are `any`.
    files: ['test/**/*.ts', 'sample/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['console', 'process', 'URL', 'performance', 'AbortSignal', 'queueMicrotask'],
          ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // CommonJS for Jest, whose functions are globals.
    files: ['test/package/fixtures/jest/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
    languageOptions: {
      globals: Object.fromEntries(
        ['require', 'jest', 'describe', 'it', 'expect', 'beforeEach', 'afterEach'].map((name) => [name, 'readonly']),
      ),
    },
  },
);

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { DOORS, specifierOf } from './test/package/build/doors.mjs';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The specs that boot Nest, on an older Nest: every `@nestjs/x` imported by lib, test or sample becomes the copy installed in
 * test/compat. The copies themselves are not transformed, so they find each other the way Node does.
 */
const onNest = (version: string) => ({
  extends: true as const,
  resolve: {
    alias: [
      {
        find: /^@nestjs\/([^/]+)$/,
        replacement: here(`./test/compat/nest-${version}/node_modules/@nestjs/$1/index.js`),
      },
    ],
  },
  test: {
    name: `nest-${version}`,
    include: ['test/nest/**/*.spec.ts', 'test/sample/**/*.spec.ts', 'sample/*/test/**/*.spec.ts'],
  },
});

export default defineConfig({
  resolve: {
    alias: Object.entries(DOORS).map(([subPath, entry]) => ({
      find: new RegExp(`^${specifierOf(subPath)}$`),
      replacement: here(`./lib/${entry}.ts`),
    })),
  },
  test: {
    testTimeout: 15_000,
    maxWorkers: 2,
    coverage: { include: ['lib/**/*.ts'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'main',
          include: ['test/**/*.spec.ts', 'sample/*/test/**/*.spec.ts'],
          exclude: ['**/node_modules/**', 'test/{compat,package,benchmark,reliability}/**'],
        },
      },
      onNest('11.2.10'),
      onNest('12.2.0'),
      // Reads dist: run `npm run build` first.
      {
        extends: true,
        test: { name: 'package', include: ['test/{package,reliability}/**/*.spec.ts'], testTimeout: 120_000 },
      },
    ],
  },
});

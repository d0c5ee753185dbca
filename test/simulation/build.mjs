// Makes plain JavaScript of the simulator, next to a built library: no compiler is needed to run it.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const here = join(root, 'test/simulation');

/** What one file of TypeScript is without its types. */
export function transpile(text) {
  const { ES2022 } = typescript.ScriptTarget;
  return typescript.transpileModule(text, {
    compilerOptions: { target: ES2022, module: typescript.ModuleKind.ESNext, experimentalDecorators: true },
  }).outputText;
}

/** Puts the simulator into `target`/simulation, where it finds the library as `target`/esm. */
export function buildSimulator(target = join(root, 'dist')) {
  if (!existsSync(join(target, 'esm/core.js'))) {
    throw new Error(`There is no built library in ${relative(root, target)}: run \`npm run build\` first.`);
  }
  for (const file of readdirSync(here, { recursive: true })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    const from = join(here, file);
    const to = join(target, 'simulation', file.replace(/\.ts$/, '.js'));
    if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) continue;
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, transpile(readFileSync(from, 'utf8')).replaceAll(/(['"](?:\.\.\/)+)\.\.\/lib\//g, '$1esm/'));
  }
}

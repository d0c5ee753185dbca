// Makes plain JavaScript of the simulator, next to a built library: no compiler is needed to run it.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const here = join(root, 'test/simulation');

/** The build that the simulator runs on: its folder in dist/, and the module system of what is put next to it. */
const BUILD = 'modules';
export const MODULE_KIND = typescript.ModuleKind.ESNext;

/** Where a file of lib/ is in a copy of the built library. */
export function builtFileOf(target, file) {
  return join(target, file.replace(/^lib/, BUILD).replace(/\.ts$/, '.js'));
}

/** Puts a copy of the built library into `target`, without what nothing at run time needs. */
export function copyLibrary(target) {
  assertBuilt(join(root, 'dist'));
  cpSync(join(root, 'dist', BUILD), join(target, BUILD), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  });
}

function assertBuilt(target) {
  if (existsSync(builtFileOf(target, 'lib/core.ts'))) return;
  throw new Error(`There is no built library in ${relative(root, target)}: run \`npm run build\` first.`);
}

/** What one file of TypeScript is without its types. */
export function transpile(text) {
  const { ES2022 } = typescript.ScriptTarget;
  return typescript.transpileModule(text, {
    compilerOptions: { target: ES2022, module: MODULE_KIND, experimentalDecorators: true },
  }).outputText;
}

/** Puts the simulator into `target`/simulation, where it finds the library as `target`/esm (see {@link BUILD}). */
export function buildSimulator(target = join(root, 'dist')) {
  assertBuilt(target);
  for (const file of readdirSync(here, { recursive: true })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    const from = join(here, file);
    const to = join(target, 'simulation', file.replace(/\.ts$/, '.js'));
    if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) continue;
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, transpile(readFileSync(from, 'utf8')).replaceAll(/(['"](?:\.\.\/)+)\.\.\/lib\//g, `$1${BUILD}/`));
  }
}

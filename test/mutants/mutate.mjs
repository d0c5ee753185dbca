import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';
import { buildSimulator, root } from '../simulation/build.mjs';

const { config } = typescript.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
const { options } = typescript.convertCompilerOptionsFromJson(config.compilerOptions, root);

/** The source of a mutant. Throws when it is not exactly one edit. */
export function sourceOf({ id, file, find, replacement }) {
  const text = readFileSync(join(root, file), 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`mutant ${id}: its text occurs ${places} times in ${file}`);
  return text.replace(find, () => replacement);
}

/** What of a mutant is no TypeScript. */
export function syntaxErrorsOf(mutant) {
  const { diagnostics } = typescript.transpileModule(sourceOf(mutant), {
    compilerOptions: { ...options, noEmit: false, paths: {} },
    reportDiagnostics: true,
    fileName: mutant.file,
  });
  return diagnostics.map(({ messageText }) => String(messageText));
}

/** Puts a copy of the built library with one mutant, and the simulator, into a folder of its own. Answers which. */
export function buildMutant(mutant) {
  const target = join(root, 'dist/mutants', mutant.id);
  discard(target);
  mkdirSync(target, { recursive: true });
  cpSync(join(root, 'dist/esm'), join(target, 'esm'), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  });
  const { outputText } = typescript.transpileModule(sourceOf(mutant), {
    compilerOptions: {
      ...options,
      noEmit: false,
      sourceMap: false,
      declaration: false,
      module: typescript.ModuleKind.ESNext,
      paths: {},
    },
  });
  writeFileSync(join(target, mutant.file.replace(/^lib/, 'esm').replace(/\.ts$/, '.js')), outputText);
  buildSimulator(target);
  return target;
}

export function discard(target) {
  rmSync(target, { recursive: true, force: true });
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';
import { buildSimulator, builtFileOf, copyLibrary, MODULE_KIND, root } from '../simulation/build.mjs';
import { applyMutant, readLibrary } from './anchors.mjs';

const { config } = typescript.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
const { options } = typescript.convertCompilerOptionsFromJson(config.compilerOptions, root);

/** What of a text is no TypeScript. */
export function syntaxErrorsOf(file, text) {
  const { diagnostics } = typescript.transpileModule(text, {
    compilerOptions: { ...options, noEmit: false, paths: {} },
    reportDiagnostics: true,
    fileName: file,
  });
  return diagnostics.map(({ messageText }) => String(messageText));
}

/** Puts a copy of the built library with one mutant, and the simulator, into a folder of its own. Answers which. */
export function buildMutant(mutant) {
  const { file, text } = applyMutant(mutant, readLibrary());
  const target = join(root, 'dist/mutants', mutant.id);
  discard(target);
  copyLibrary(target);
  const { outputText } = typescript.transpileModule(text, {
    compilerOptions: {
      ...options,
      noEmit: false,
      sourceMap: false,
      declaration: false,
      module: MODULE_KIND,
      paths: {},
    },
  });
  writeFileSync(builtFileOf(target, file), outputText);
  buildSimulator(target);
  return target;
}

export function discard(target) {
  rmSync(target, { recursive: true, force: true });
}

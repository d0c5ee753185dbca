import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the compiler made of one file. */
export interface Compiled {
  /** One text per error, as the compiler prints it, with the line it stands in. */
  readonly errors: readonly string[];
  /** What it emitted, decorator metadata included. */
  readonly code: string;
}

/**
 * Compiles programs that are texts, as files of this repository with its tsconfig: `files` maps paths below the root to
 * texts. `overrides` are compiler options.
 */
export function compile(
  files: ReadonlyMap<string, string>,
  overrides: ts.CompilerOptions = {},
): ReadonlyMap<string, Compiled> {
  const texts = new Map([...files].map(([path, text]) => [ROOT + path, text]));
  const options: ts.CompilerOptions = {
    ...tsconfig(),
    noEmit: false,
    declaration: false,
    sourceMap: false,
    ...overrides,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, text, languageVersion, true);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const compiled = new Map<string, Compiled>();
  for (const path of files.keys()) {
    const source = program.getSourceFile(ROOT + path)!;
    const errors = ts.getPreEmitDiagnostics(program, source).map((diagnostic) => {
      const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
      return `line ${line + 1}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`;
    });
    let code = '';
    program.emit(source, (_path, text) => {
      code = text;
    });
    compiled.set(path, { errors, code });
  }
  return compiled;
}

function tsconfig(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path));
  return ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, ROOT).options;
}

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const EXPORTED_SERVER = `
import { error, GenServer, GenServerBase, HandleCall, HandleCast, HandleContinue, HandleInfo, Timeout } from 'nestjs-genserver';
import { ignore, noReply, ok, reply, replyError, stop } from 'nestjs-genserver';

@GenServer()
export class Stock extends GenServerBase<number> {
  override init(first: number) {
    if (first < 0) return error('negative');
    return first > 100 ? ignore() : ok(first).continue('loaded');
  }
  @HandleCall() take(n: number) {
    return n > this.state ? replyError(new Error('too many')) : reply(this.state - n, this.state - n);
  }
  @HandleCall() close() { return stop('normal').reply('closed' as const); }
  @HandleCall() later() { const from = this.from<number>(); return from.later(); }
  @HandleCast() set(n: number) { return noReply(n).timeout(5); }
  @HandleInfo(Timeout) protected onTimeout() { return stop('normal'); }
  @HandleContinue('loaded') protected onLoaded() { return noReply(); }
}
`;

/** Of every door something, and none of it `any`. */
const EVERY_DOOR = `
import { GenServerBase, GenServerModule } from 'nestjs-genserver';
import { createWorld } from 'nestjs-genserver/core';
import { startSupervised } from 'nestjs-genserver/testing';

export class Stock extends GenServerBase<number> {}
export const module: { module: unknown } = GenServerModule.forRoot();
export const clock: number = createWorld().runtime.processCount;
// @ts-expect-error: it is a function.
export const first: number = createWorld;
// @ts-expect-error: it is a function.
export const second: number = startSupervised;
// @ts-expect-error: there is no such option.
GenServerModule.forRoot({ nothing: 1 });
`;

const { ModuleKind, ModuleResolutionKind } = ts;
/** The files of an application, and how TypeScript is told to find packages for them. */
const RESOLUTIONS: Readonly<Record<string, [files: readonly string[], ts.CompilerOptions]>> = {
  node10: [
    ['app.ts'],
    { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Node10, ignoreDeprecations: '6.0' },
  ],
  node16: [['app.mts', 'app.cts'], { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 }],
  nodenext: [['app.mts', 'app.cts'], { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext }],
  bundler: [['app.ts'], { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler }],
};

const OURS = /\/node_modules\/nestjs-genserver\//;

/** A folder with the package and its peers installed. */
function application(nest: string): string {
  const app = mkdtempSync(join(tmpdir(), 'declarations-'));
  onTestFinished(() => rmSync(app, { recursive: true }));
  mkdirSync(join(app, 'node_modules/nestjs-genserver'), { recursive: true });
  for (const part of ['dist/esm', 'dist/cjs', 'package.json']) {
    cpSync(join(root, part), join(app, 'node_modules/nestjs-genserver', part), { recursive: true });
  }
  symlinkSync(join(root, nest, 'node_modules/@nestjs'), join(app, 'node_modules/@nestjs'));
  for (const peer of ['rxjs', 'reflect-metadata', '@types']) {
    symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
  }
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
  return app;
}

function compile(app: string, roots: readonly string[], options: ts.CompilerOptions): string[] {
  const program = ts.createProgram(
    roots.map((file) => join(app, file)),
    {
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts'],
      strict: true,
      declaration: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      isolatedModules: true,
      rootDir: app,
      outDir: join(app, 'out'),
      types: [],
      ...options,
    },
  );
  // What other packages declare is not for us to mend, and takes long to check.
  const files = program
    .getSourceFiles()
    .filter(({ fileName }) => OURS.test(fileName) || !/\/node_modules\//.test(fileName));
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...files.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
    ...program.emit().diagnostics,
  ];
  return diagnostics.map(
    ({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

it('lets a project with "declaration": true export its servers, as one that nest new has made does', () => {
  const app = application('.');
  writeFileSync(join(app, 'stock.ts'), EXPORTED_SERVER);
  const options = { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext, skipLibCheck: true };
  expect(compile(app, ['stock.ts'], options)).toEqual([]);
});

describe.each([
  ['12, of ES modules', '.'],
  ['11, of CommonJS', 'test/compat/nest-11.2.10'],
])('with Nest %s, the declarations', (_version, nest) => {
  it.each(Object.entries(RESOLUTIONS))(
    'have no error themselves, and are found with moduleResolution %s',
    (_name, [files, options]) => {
      const app = application(nest);
      for (const file of files) writeFileSync(join(app, file), EVERY_DOOR);
      expect(compile(app, files, { ...options, skipLibCheck: false, types: ['node'] })).toEqual([]);
    },
  );
});

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it, onTestFinished } from 'vitest';

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

it('lets a project with "declaration": true export its servers, as one that nest new has made does', () => {
  const app = mkdtempSync(join(tmpdir(), 'declarations-'));
  onTestFinished(() => rmSync(app, { recursive: true }));
  mkdirSync(join(app, 'node_modules/nestjs-genserver'), { recursive: true });
  for (const part of ['dist/esm', 'dist/cjs', 'package.json']) {
    cpSync(join(root, part), join(app, 'node_modules/nestjs-genserver', part), { recursive: true });
  }
  for (const peer of ['@nestjs', 'rxjs', 'reflect-metadata', '@types']) {
    symlinkSync(join(root, 'node_modules', peer), join(app, 'node_modules', peer));
  }
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(app, 'stock.ts'), EXPORTED_SERVER);

  const program = ts.createProgram([join(app, 'stock.ts')], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    declaration: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    isolatedModules: true,
    skipLibCheck: true,
    rootDir: app,
    outDir: join(app, 'out'),
    types: [],
  });
  const diagnostics = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

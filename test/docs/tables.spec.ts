import { describe, expect, it } from 'vitest';
import { LATER } from './later.js';
import { codesOf, sectionOf, tableRowsOf, textOf } from './markdown.js';
import { readSources } from './source-facts.js';

const readme = textOf('README.md');
const sources = readSources();
const rowsUnder = (heading: string): string[][] => tableRowsOf(sectionOf(readme, heading));
/** Without what has no row yet. */
const written = (names: readonly string[]): string[] => names.filter((name) => !LATER.has(name));
const firstCodes = (rows: readonly string[][]): string[] => rows.map(([cell]) => codesOf(cell!)[0]!);

describe('the options of the README', () => {
  it.each([
    ['@GenServer and provideGenServer', 'lib/nest/gen-server.options.ts', 'GenServerOptions'],
    ['GenServerModule.forRoot', 'lib/nest/gen-server.options.ts', 'GenServerModuleOptions'],
    ['Limits of a process', 'lib/runtime/limits.ts', 'ProcessLimits'],
    ['@Supervisor', 'lib/supervision/supervisor-options.ts', 'SupervisorOptions'],
    ['@HandleCall', 'lib/nest/decorators/handle-call.decorator.ts', 'HandleCallOptions'],
    ['@HandleCast', 'lib/nest/decorators/handle-cast.decorator.ts', 'HandleCastOptions'],
    ['client.with', 'lib/nest/clients/gen-server-client.ts', 'ClientOptions'],
  ])('of %s are those of %s, %s', (heading, file, name) => {
    expect(firstCodes(rowsUnder(heading)).sort()).toEqual(written(sources.keysOf(file, name)).sort());
  });
});

describe('the errors of the README', () => {
  const rows = rowsUnder('Errors');

  it('are those that can be imported, with their codes', () => {
    const told = new Map(rows.map(([name, code]) => [codesOf(name!)[0]!, codesOf(code!)[0]!]));
    expect([...told].sort()).toEqual([...sources.errors].filter(([name]) => !LATER.has(name)).sort());
  });

  it('each say when, and what to do', () => {
    for (const [, , when, remedy] of rows) {
      expect(when).not.toBe('');
      expect(remedy).not.toBe('');
    }
  });
});

describe('the events of the README', () => {
  const rows = rowsUnder('Events');

  it('are those of the source, with their fields', () => {
    const told = rows.map(([type, , fields]) => [codesOf(type!)[0]!, codesOf(fields!).sort()]);
    expect(told.sort()).toEqual([...sources.events].filter(([type]) => !LATER.has(type)).sort());
  });
});

describe('the words of the README', () => {
  it('name every strategy, restart and state of the tree', () => {
    const words = [
      ...sources.literalsOf('lib/supervision/strategies.ts', 'Strategy'),
      ...sources.literalsOf('lib/supervision/restart-policy.ts', 'Restart'),
      ...sources.literalsOf('lib/nest/tree/application-supervisor.ts', 'TreeStatus'),
    ];
    expect(words.filter((word) => !readme.includes(`'${word}'`))).toEqual([]);
  });
});

describe('what is to be written later', () => {
  it('is not on the page yet', () => {
    expect([...LATER].filter((name) => readme.includes(`\`${name}\``))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { DEFAULT_BUDGET } from '../../lib/supervision/restart-intensity.js';
import { LATER } from './later.js';
import { codesOf, PAGES, sectionOf, tableRowsOf, textOf } from './markdown.js';
import { type DeclaredType, readSources } from './source-facts.js';

const options = textOf('lib/docs/reference/options.md');
const errors = textOf('lib/docs/reference/errors.md');
const events = textOf('lib/docs/reference/events.md');
const sources = readSources();
/** Without what has no row yet. */
const written = (names: readonly string[]): string[] => names.filter((name) => !LATER.has(name));
const optionRows = (heading: string): string[][] => tableRowsOf(sectionOf(options, heading));
const firstCodes = (rows: readonly string[][]): string[] => rows.map(([cell]) => codesOf(cell!)[0]!);

describe('the page of options', () => {
  it.each<[string, DeclaredType]>([
    ['@GenServer and provideGenServer', 'GenServerOptions'],
    ['GenServerModule.forRoot', 'GenServerModuleOptions'],
    ['Limits of a process', 'ProcessLimits'],
    ['@Supervisor', 'SupervisorOptions'],
    ['@HandleCall', 'HandleCallOptions'],
    ['@HandleCast', 'HandleCastOptions'],
    ['client.with', 'ClientOptions'],
  ])('has for %s a row for each key of %s, and no other', (heading, name) => {
    expect(firstCodes(optionRows(heading)).sort()).toEqual(written(sources.keysOf(name)).sort());
  });

  it('names every strategy and every restart', () => {
    const words = [...sources.literalsOf('Strategy'), ...sources.literalsOf('Restart')];
    expect(words.filter((word) => !options.includes(`'${word}'`))).toEqual([]);
  });

  it.each(['maxRestarts', 'withinMs'] as const)('gives the default of %s that the code has', (name) => {
    const row = optionRows('@Supervisor').find(([cell]) => codesOf(cell!)[0] === name)!;
    expect(Number(row.at(-1)!.replace(/\s/g, ''))).toBe(DEFAULT_BUDGET[name]);
  });
});

describe('the page of restart budgets', () => {
  it('states the default budget that the code has', () => {
    const { maxRestarts, withinMs } = DEFAULT_BUDGET;
    const page = textOf('lib/docs/how-to/set-restart-budgets.md');
    expect(page).toContain(`\`maxRestarts: ${maxRestarts}\``);
    expect(page).toContain(`\`withinMs: ${withinMs.toLocaleString('en').replace(',', '_')}\``);
  });
});

describe('the page of errors', () => {
  const rows = tableRowsOf(errors).filter((row) => /^`\w+Error`$/.test(row[0]!));

  it('has those that can be imported, with their codes', () => {
    const told = new Map(rows.map(([name, code]) => [codesOf(name!)[0]!, codesOf(code!)[0]!]));
    expect([...told].sort()).toEqual([...sources.errors].filter(([name]) => !LATER.has(name)).sort());
    expect(rows).toHaveLength(told.size);
  });

  it('says of each when, and what to do', () => {
    for (const [, , when, remedy] of rows) {
      expect(when).not.toBe('');
      expect(remedy).not.toBe('');
    }
  });
});

describe('the page of events', () => {
  const rows = tableRowsOf(events).filter(([type]) => /^`[\w.]+\.\w+`$/.test(type!));

  it('has those of the source, with their fields', () => {
    const told = rows.map(([type, , fields]) => [codesOf(type!)[0]!, codesOf(fields!).sort()]);
    expect(told.sort()).toEqual([...sources.events].filter(([type]) => !LATER.has(type)).sort());
  });
});

describe('the page on production', () => {
  it('names every state of the tree', () => {
    const page = textOf('lib/docs/how-to/run-in-production.md');
    expect(sources.literalsOf('TreeStatus').filter((word) => !page.includes(`'${word}'`))).toEqual([]);
  });
});

describe('what is to be written later', () => {
  it('is on no page yet', () => {
    const pages = PAGES.map(textOf).join('\n');
    expect([...LATER].filter((name) => pages.includes(`\`${name}\``))).toEqual([]);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, linksOf, resolveLink, ROOT, textOf } from './markdown.js';
import { testTitlesOf } from './test-titles.js';

const PAGE = 'lib/docs/reference/guarantees.md';
const page = textOf(PAGE);
const tests = linksOf(page).filter(({ target }) => target.includes('.spec.ts'));

/** The rows that this version keeps to. */
const ROWS: readonly string[] = [
  ...rows('P', 1, 7),
  ...rows('I', 1, 13),
  ...rows('R', 1, 10),
  ...rows('T', 1, 8),
  ...rows('C', 1, 13),
  'C15',
  ...rows('E', 1, 15),
  'E20',
  ...rows('L', 1, 3),
  ...rows('M', 1, 4),
  ...rows('K', 1, 4),
  ...rows('K', 10, 15),
  ...rows('A', 1, 2),
  ...rows('S', 1, 24),
  ...rows('D', 1, 8),
  ...rows('N', 1, 12),
  ...rows('B', 1, 5),
  ...rows('PS', 1, 3),
  ...rows('Y', 1, 6),
  ...rows('AP', 1, 7),
];

describe('the guarantees', () => {
  it('name every rule', () => {
    const named = new Set(tests.map(({ text }) => text));
    expect(ROWS.filter((row) => !named.has(row))).toEqual([]);
  });

  it('name no rule that is none', () => {
    const ids = tests.map(({ text }) => text).filter((text) => /^[A-Z]+\d+$/.test(text));
    expect(ids.filter((id) => !ROWS.includes(id))).toEqual([]);
  });

  it('have every rule that comments of the library and titles of tests name', () => {
    const named = [...filesUnder('lib', '.ts'), ...filesUnder('test', '.spec.ts')]
      .map(textOf)
      .flatMap((text) => [...text.matchAll(/[([]([A-Z]{1,2}\d{1,2}(?:, [A-Z]{1,2}\d{1,2})*)[)\]]/g)])
      .flatMap(([, rules]) => rules!.split(', '));
    expect(named.length).toBeGreaterThan(ROWS.length);
    expect([...new Set(named)].filter((row) => !ROWS.includes(row))).toEqual([]);
  });

  it('have a test for every sentence', () => {
    // An item may go on in indented lines.
    const items = page.replace(/\n {2,}/g, ' ').split('\n');
    const statements = items.filter((line) => /^(- |\d+\. )/.test(line) || isBodyRow(line));
    expect(statements.length).toBeGreaterThan(ROWS.length / 2);
    expect(statements.filter((line) => !line.includes('.spec.ts'))).toEqual([]);
  });

  it('leave no hole in the failure grid', () => {
    const cells = page
      .split('\n')
      .filter(isBodyRow)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(cells.map(([failure]) => failure)).toEqual(['throws', 'rejects', 'exits', 'is killed', 'never returns']);
    // How it fails, six callbacks, the test.
    for (const row of cells) expect(row.filter((cell) => cell !== '')).toHaveLength(8);
  });

  // A link by rule leads to a test that has the rule in its title; any other quotes a part of a title behind the path.
  it.each(
    tests.map(
      (link) => [`${link.text} in ${link.target}${link.title === undefined ? '' : ` "${link.title}"`}`, link] as const,
    ),
  )('%s is there', (_name, { text, target, title }) => {
    const { path } = resolveLink(PAGE, target)!;
    expect(existsSync(join(ROOT, path)), `${path} exists`).toBe(true);
    const titles = testTitlesOf(path);
    const matches =
      title === undefined ? titles.filter((of) => mentions(of, text)) : titles.filter((of) => of.includes(title));
    expect(matches, titles.join('\n')).not.toEqual([]);
  });
});

function rows(letter: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => `${letter}${first + at}`);
}

/** Rules stand in brackets: `(P1)`, `[S5]`, `(E3, E4)`. */
function mentions(title: string, row: string): boolean {
  return new RegExp(`[([][^)\\]]*\\b${row}\\b[^)\\]]*[)\\]]`).test(title);
}

function isBodyRow(line: string): boolean {
  return line.startsWith('| ') && !/^\| (How it fails|Where)/.test(line) && !/^\|[\s|:-]+\|$/.test(line);
}

import { describe, expect, it } from 'vitest';
import { filesUnder, linksOf, resolveLink, sectionOf, tableRowsOf, textOf } from './docs/markdown.js';

const PAGE = 'test/README.md';
const rows = tableRowsOf(sectionOf(textOf(PAGE), 'Where to find what')).map(([topic, specs]) => ({
  topic: topic!,
  specs: linksOf(specs!).map(({ target }) => resolveLink(PAGE, target)!.path),
}));
const listed = rows.flatMap(({ specs }) => specs);
const specs = ['test', 'sample'].flatMap((folder) => filesUnder(folder, '.spec.ts'));

describe('the map of the tests', () => {
  it('leads to every spec', () => {
    expect(specs.filter((path) => !listed.includes(path))).toEqual([]);
  });

  it('leads to nothing that is not there', () => {
    expect(listed.filter((path) => !specs.includes(path))).toEqual([]);
  });

  it('has each spec once, and each topic', () => {
    const repeated = (all: readonly string[]) => all.filter((each, at) => all.indexOf(each) !== at);
    expect([repeated(listed), repeated(rows.map(({ topic }) => topic))]).toEqual([[], []]);
  });

  it.each(rows)('has a spec for "$topic"', ({ specs: some }) => {
    expect(some).not.toEqual([]);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveLink, ROOT, sectionOf, tableRowsOf, textOf } from './markdown.js';
import { testTitlesOf } from './test-titles.js';

const PAGE = 'test/PARITY.md';
const page = textOf(PAGE);
const NOT_APPLICABLE = 'not applicable: ';

interface Case {
  readonly suite: string;
  readonly name: string;
  /** The tests that it names, or the reason why it has none. */
  readonly answer: string;
}

const suites = [...page.matchAll(/^### (.+)$/gm)].map(([, name]) => name!);
const cases: readonly Case[] = suites.flatMap((suite) =>
  tableRowsOf(sectionOf(page, suite)).map(([name, answer]) => ({ suite, name: name!, answer: answer! })),
);

/** Links whose text is the title of a test, as it is written. */
function testsOf(answer: string): { title: string; path: string }[] {
  return [...answer.matchAll(/\[`([^`]+)`\]\(([^)\s]+)\)/g)].map(([, title, target]) => ({
    title: title!,
    path: resolveLink(PAGE, target!)!.path,
  }));
}

function countsOf(some: readonly Case[]): string[] {
  const notApplicable = some.filter(({ answer }) => answer.startsWith(NOT_APPLICABLE)).length;
  return [some.length, some.length - notApplicable, notApplicable].map(String);
}

describe('the parity table', () => {
  it('counts its cases, those that are tested and those that do not apply', () => {
    const [head, ...stated] = tableRowsOf(sectionOf(page, 'What there is')).toReversed();
    expect(head).toEqual(['All', ...countsOf(cases)]);
    expect(stated.toReversed()).toEqual(
      suites.map((suite) => [`\`${suite}\``, ...countsOf(cases.filter((each) => each.suite === suite))]),
    );
  });

  it('has every suite that it is about', () => {
    expect(suites).toEqual([
      'gen_server_test.exs',
      'supervisor_test.exs',
      'dynamic_supervisor_test.exs',
      'registry_test.exs',
      'registry/unique_test.exs',
      'registry/duplicate_test.exs',
      'task_test.exs',
      'task/supervisor_test.exs',
      'agent_test.exs',
      'partition_supervisor_test.exs',
      'process_test.exs',
      'gen_server_SUITE.erl',
      'supervisor_SUITE.erl',
    ]);
  });

  it('has no case twice', () => {
    const names = cases.map(({ suite, name }) => `${suite}: ${name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it.each(cases)('$suite: $name has tests that are there, or a reason', ({ answer }) => {
    const tests = testsOf(answer);
    if (answer.startsWith(NOT_APPLICABLE)) {
      expect(answer.slice(NOT_APPLICABLE.length).split(' ').length, 'words of the reason').toBeGreaterThan(3);
      expect(tests).toEqual([]);
      return;
    }
    expect(tests).not.toEqual([]);
    // Whatever looks like a link is one of these.
    expect(answer.split('](').length - 1).toBe(tests.length);
    for (const { title, path } of tests) {
      expect(existsSync(join(ROOT, path)), `${path} exists`).toBe(true);
      expect(testTitlesOf(path)).toContain(title);
    }
  });
});

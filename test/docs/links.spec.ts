import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  anchorsOf,
  isShipped,
  linksOf,
  MANIFEST,
  PAGES,
  proseOf,
  REPOSITORY,
  type ResolvedLink,
  resolveLink,
  ROOT,
  textOf,
} from './markdown.js';

const shippedPages = PAGES.filter(isShipped);
const docs = PAGES.filter((page) => page.startsWith('lib/docs/'));
const targetsOf = (page: string): string[] => linksOf(proseOf(textOf(page))).map(({ target }) => target);
const isFolder = (path: string): boolean => statSync(join(ROOT, path)).isDirectory();

/** The links of a page into this repository, and those that do not hold what is asked of them. */
function failing(page: string, holds: (link: ResolvedLink) => boolean): string[] {
  const failures = targetsOf(page).filter((target) => {
    const link = resolveLink(page, target);
    return link !== undefined && !holds(link);
  });
  return [...new Set(failures)];
}

describe.each(PAGES)('the links of %s', (page) => {
  it('lead to files that are there', () => {
    expect(failing(page, ({ path }) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('lead to headings that are there', () => {
    const hasHeading = ({ path, anchor }: ResolvedLink): boolean =>
      anchor === undefined || (path.endsWith('.md') && anchorsOf(textOf(path)).includes(anchor));
    expect(failing(page, hasHeading)).toEqual([]);
  });

  it('lead to a file as a blob, and to a folder as a tree', () => {
    const fits = ({ path, kind }: ResolvedLink): boolean => kind === 'relative' || isFolder(path) === (kind === 'tree');
    expect(failing(page, fits)).toEqual([]);
  });

  it('name the repository as the manifest does', () => {
    const strays = targetsOf(page).filter(
      (target) => /^https?:\/\/git(hub|lab)\.com\/[^#]*nestjs-genserver/.test(target) && !target.startsWith(REPOSITORY),
    );
    expect(strays).toEqual([]);
  });
});

describe.each(shippedPages)('the links of %s, in the package', (page) => {
  it('are relative only where the package has the file', () => {
    const works = ({ path, kind }: ResolvedLink): boolean =>
      kind !== 'relative' || (isShipped(path) && !isFolder(path));
    expect(failing(page, works)).toEqual([]);
  });

  it('lead into the repository by an address of its main branch', () => {
    const known = [MANIFEST.homepage, MANIFEST.bugs.url, REPOSITORY];
    const strays = targetsOf(page).filter(
      (target) => target.startsWith(REPOSITORY) && resolveLink(page, target) === undefined && !known.includes(target),
    );
    expect(strays).toEqual([]);
  });
});

describe('the pages in the package', () => {
  it('are the README, the changelog and all of lib/docs', () => {
    expect(docs.length).toBeGreaterThan(20);
    expect([...shippedPages].sort()).toEqual(['README.md', 'CHANGELOG.md', ...docs].sort());
  });

  it('can all be reached from the README', () => {
    const reached = new Set<string>();
    const visit = (page: string): void => {
      if (reached.has(page)) return;
      reached.add(page);
      for (const target of targetsOf(page)) {
        const link = resolveLink(page, target);
        if (link !== undefined && PAGES.includes(link.path)) visit(link.path);
      }
    };
    visit('README.md');
    expect(docs.filter((page) => !reached.has(page))).toEqual([]);
  });

  it('are all on the index of lib/docs, those of a folder in one list', () => {
    const listed = targetsOf('lib/docs/README.md').map((target) => resolveLink('lib/docs/README.md', target)?.path);
    expect(docs.filter((page) => page !== 'lib/docs/README.md' && !listed.includes(page))).toEqual([]);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s names no path of a machine and no host that only some can reach', (page) => {
    expect(textOf(page)).not.toMatch(/(^|[\s`(])\/(home|root|tmp|work|Users)\//m);
  });
});

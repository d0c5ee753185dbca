import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf, PAGES, proseOf, resolveLink, ROOT, textOf } from './markdown.js';

describe.each(PAGES)('the links of %s', (page) => {
  const targets = linksOf(proseOf(textOf(page)))
    .map(({ target }) => target)
    .filter((target) => !/^https?:/.test(target));

  it('lead to files that are there', () => {
    const missing = targets.filter((target) => !existsSync(join(ROOT, resolveLink(page, target).path)));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('lead to headings that are there', () => {
    const missing = targets.filter((target) => {
      const { path, anchor } = resolveLink(page, target);
      return anchor !== undefined && !anchorsOf(textOf(path)).includes(anchor);
    });
    expect([...new Set(missing)]).toEqual([]);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s names no path of a machine and no host that only some can reach', (page) => {
    expect(textOf(page)).not.toMatch(/(^|[\s`(])\/(home|root|tmp|work|Users)\//m);
  });
});

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codesOf, ROOT, sectionOf, tableRowsOf, textOf } from './markdown.js';

const tour = textOf('lib/README.md');

describe('the house tour', () => {
  it('names files that are there', () => {
    const files = codesOf(tour).filter((code) => /^[\w./-]+\.ts$/.test(code));
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(join(ROOT, 'lib', file)))).toEqual([]);
  });

  it('names every room, and no other', () => {
    const rooms = readdirSync(join(ROOT, 'lib'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => name !== 'docs'); // pages for users, and no code
    const named = tableRowsOf(sectionOf(tour, 'The rooms')).map(([cell]) => codesOf(cell!)[0]!);
    expect(named.sort()).toEqual(rooms.sort());
  });

  it.each(['runtime', 'gen-server', 'nest'])('has one line for every folder of %s, and for no other', (room) => {
    const folders = readdirSync(join(ROOT, 'lib', room), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${name}/`);
    const table = new RegExp(`\\n\\| \`${room}/\` [^]*?\\n\\n`).exec(tour)![0];
    const named = [...table.matchAll(/^\| `([\w-]+\/)` +\|/gm)]
      .map(([, name]) => name!)
      .filter((name) => name !== `${room}/`);
    expect(named.sort()).toEqual(folders.sort());
  });

  it('names functions and classes that stand in the file it names beside them', () => {
    const pairs = [...tour.matchAll(/`([\w./-]+\.ts)` `(\w+)(?:\(\))?`/g)];
    expect(pairs.length).toBeGreaterThan(10);
    const missing = pairs.filter(([, file, name]) => !new RegExp(`\\b${name}\\b`).test(textOf(`lib/${file}`)));
    expect(missing.map(([pair]) => pair)).toEqual([]);
  });
});

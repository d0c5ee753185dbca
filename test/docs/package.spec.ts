import { describe, expect, it } from 'vitest';
import { DOORS, specifierOf } from '../package/build/doors.mjs';
import { fencesOf, MANIFEST as manifest, PAGES, REPOSITORY, sectionOf, textOf } from './markdown.js';

const readme = textOf('README.md');

/** The lowest versions of a range: `^11.2.10 || ^12.2.0` gives 11.2.10 and 12.2.0. */
const lowestOf = (range: string): string[] => [...range.matchAll(/(\d+\.\d+\.\d+)/g)].map(([version]) => version);

describe('what the README says of the package', () => {
  it('begins with its name', () => {
    expect(readme.split('\n')[0]).toBe(`# ${manifest.name}`);
  });

  it('is read in minutes: it has 12 000 bytes at most', () => {
    expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(12_000);
  });

  it('installs it by its name, in its first command', () => {
    const commands = fencesOf('README.md', readme).filter(({ language }) => language === 'sh');
    expect(commands[0]!.text.trim()).toBe(`npm install ${manifest.name}`);
  });

  it('says after that how the repository is built, started and tested', () => {
    const commands = fencesOf('README.md', readme).filter(({ language }) => language === 'sh');
    const lines = commands.slice(1).flatMap(({ text }) => text.trim().split('\n'));
    expect(lines.map((line) => line.replace(/ *#.*/, ''))).toEqual(
      expect.arrayContaining(['npm ci && npm start', 'npm ci && npm test']),
    );
  });

  it('names the versions of Nest and Node that the manifest allows', () => {
    const compatibility = sectionOf(readme, 'Compatibility');
    expect(manifest.peerDependencies['@nestjs/core']).toBe(manifest.peerDependencies['@nestjs/common']);
    for (const version of lowestOf(manifest.peerDependencies['@nestjs/core']!))
      expect(compatibility).toContain(version);
    for (const version of lowestOf(manifest.engines.node)) {
      expect(compatibility).toContain(version.replace(/(\.0)+$/, ''));
    }
    for (const peer of Object.keys(manifest.peerDependencies)) expect(compatibility).toContain(`\`${peer}\``);
  });

  it('names no script that is not there', () => {
    const named = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script!),
    );
    expect(named.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
  });

  it('imports it by its name', () => {
    const modules = PAGES.flatMap((page) => fencesOf(page, textOf(page)))
      .filter(({ language, info }) => language === 'ts' && !info.includes('no-run') && !info.includes('from='))
      .flatMap(({ text }) => [...text.matchAll(/from '([^']+)'/g)].map(([, module]) => module!));
    const known = [...Object.keys(DOORS).map(specifierOf), ...Object.keys(manifest.peerDependencies), 'zod'];
    // What is not ours belongs to Node or Nest, or is a schema library of the reader's choice.
    expect(modules.filter((name) => !known.includes(name) && !/^(node:|@nestjs\/)/.test(name))).toEqual([]);
    expect(modules).toContain(manifest.name);
  });

  it('names its licence', () => {
    expect(sectionOf(readme, 'Licence')).toContain(manifest.license);
  });
});

describe('the manifest', () => {
  it('leads to one repository', () => {
    expect(manifest.homepage).toBe(`${REPOSITORY}#readme`);
    expect(manifest.bugs.url).toBe(`${REPOSITORY}/issues`);
  });
});

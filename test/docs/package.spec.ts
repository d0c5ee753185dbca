import { describe, expect, it } from 'vitest';
import { DOORS, specifierOf } from '../package/build/doors.mjs';
import { fencesOf, PAGES, sectionOf, textOf } from './markdown.js';

const manifest = JSON.parse(textOf('package.json')) as {
  name: string;
  license: string;
  engines: { node: string };
  scripts: Record<string, string>;
  peerDependencies: Record<string, string>;
};
const readme = textOf('README.md');

/** The lowest versions of a range: `^11.2.10 || ^12.2.0` gives 11.2.10 and 12.2.0. */
const lowestOf = (range: string): string[] => [...range.matchAll(/(\d+\.\d+\.\d+)/g)].map(([version]) => version);

describe('what the README says of the package', () => {
  it('begins with its name', () => {
    expect(readme.split('\n')[0]).toBe(`# ${manifest.name}`);
  });

  it('installs it by its name', () => {
    const commands = fencesOf('README.md', readme).filter(({ language }) => language === 'sh');
    const install = commands.find(({ text }) => text.includes('npm install'))!;
    expect(install.text.trim()).toBe(`npm install ${manifest.name}`);
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

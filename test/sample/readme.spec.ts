import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const samples = readdirSync(new URL('sample/', root)).filter((name) => /^\d\d-/.test(name));

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** A text as it reads, however it is broken into lines. */
function unwrapped(text: string): string {
  return text.replace(/\s+/g, ' ');
}

describe.each(samples)('the README of %s', (sample) => {
  const folder = `sample/${sample}/`;
  const readme = read(`${folder}README.md`);

  it('has the parts of the house form, in their order', () => {
    const parts = ['## Run it', '## What you will see', '## Read these files in this order', '## Now break it'];
    const places = parts.map((part) => readme.indexOf(`\n${part}\n`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('starts it by a script that is there', () => {
    const script = /npm ci && npm (?:run )?(start\S*)/.exec(readme)?.[1];
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts[script!]).toContain(`nest build ${sample} `);
    expect(JSON.parse(read('nest-cli.json'))).toHaveProperty(['projects', sample, 'root'], `sample/${sample}`);
  });

  it('links to files that are there', () => {
    const links = [...readme.matchAll(/\]\((src\/[^)]+)\)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(fileURLToPath(new URL(folder + path, root))))).toEqual([]);
  });

  it('lists the routes that the program lists', async () => {
    if (!readme.includes('Routes of')) return;
    const { routes } = (await import(fileURLToPath(new URL(`${folder}src/routes.ts`, root)))) as {
      routes: (url: string) => string;
    };
    expect(readme).toContain(routes('http://localhost:3000'));
  });

  it('changes only what the files say', () => {
    const changes = [...unwrapped(readme).matchAll(/[Ii]n \[[^\]]+\]\((src\/[^)]+)\) change `([^`]+)`/g)];
    expect(changes.length).toBeGreaterThan(0);
    for (const [, path, text] of changes) expect(unwrapped(read(folder + path!))).toContain(text);
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository, as text. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Files below a folder whose names end in `ending`, as paths from the root. */
export function filesUnder(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => join(folder, path))
    .sort();
}

interface Manifest {
  readonly name: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly repository: { readonly url: string };
  readonly homepage: string;
  readonly bugs: { readonly url: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

export const MANIFEST = JSON.parse(textOf('package.json')) as Manifest;

/** The address of the repository for readers. Its one source is the manifest. */
export const REPOSITORY = MANIFEST.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

/** What npm puts into a package whatever the manifest says. */
const ALWAYS_SHIPPED: readonly string[] = ['package.json', 'README.md', 'LICENSE'];

/** Whether the package that users install has a file. */
export function isShipped(path: string): boolean {
  const shipped = [...ALWAYS_SHIPPED, ...MANIFEST.files];
  return shipped.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

/** The pages that are documentation. */
export const PAGES: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
  ...filesUnder('lib', '.md'),
  ...filesUnder('sample', 'README.md'),
  'test/PARITY.md',
];

/** A block between two lines of backticks. */
export interface Fence {
  readonly page: string;
  /** Of the line that opens it, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language. */
  readonly info: string;
  readonly text: string;
}

/** All fences of a text, in order. */
export function fencesOf(page: string, text: string): Fence[] {
  const fences: Fence[] = [];
  let open: { line: number; marker: string; info: string; body: string[] } | undefined;
  text.split('\n').forEach((line, at) => {
    const match = /^\s*(`{3,})(.*)$/.exec(line);
    if (open === undefined) {
      if (match !== null) open = { line: at + 1, marker: match[1]!, info: match[2]!.trim(), body: [] };
    } else if (match !== null && match[1] === open.marker && match[2]!.trim() === '') {
      const [language = '', ...rest] = open.info.split(' ');
      fences.push({ page, line: open.line, language, info: rest.join(' '), text: `${open.body.join('\n')}\n` });
      open = undefined;
    } else {
      open.body.push(line);
    }
  });
  if (open !== undefined) throw new Error(`${page}:${open.line} opens a fence that nothing closes`);
  return fences;
}

/** A page without its fences, so that nothing in code is taken for markup. */
export function proseOf(text: string): string {
  return text.replace(/^(\s*)(`{3,}).*\n[\s\S]*?^\s*\2$/gm, '');
}

export interface Link {
  readonly text: string;
  readonly target: string;
  /** The part in quotes behind the target. */
  readonly title: string | undefined;
}

export function linksOf(prose: string): Link[] {
  // The formatter makes the quotes single ones where it can.
  const links = prose.matchAll(/\[([^\]]*)\]\(([^\s)]+)(?:\s+(?:"([^"]*)"|'([^']*)'))?\)/g);
  return [...links].map(([, text, target, double, single]) => ({
    text: text!,
    target: target!,
    title: double ?? single,
  }));
}

export interface ResolvedLink {
  /** From the root, without a slash at its end. */
  readonly path: string;
  readonly anchor: string | undefined;
  /** For a link by an address of the repository: whether it is one of a file (`blob`) or of a folder (`tree`). */
  readonly kind: 'relative' | 'blob' | 'tree';
}

/** Where in this repository a link leads, be it relative or an address of the repository. Undefined when it leads elsewhere. */
export function resolveLink(page: string, target: string): ResolvedLink | undefined {
  const [path, anchor] = target.split('#') as [string, string | undefined];
  for (const kind of ['blob', 'tree'] as const) {
    const start = `${REPOSITORY}/${kind}/main/`;
    if (path.startsWith(start)) return { path: path.slice(start.length).replace(/\/$/, ''), anchor, kind };
  }
  if (/^[a-z]+:/.test(path)) return undefined;
  return { path: path === '' ? page : join(dirname(page), path).replace(/\/$/, ''), anchor, kind: 'relative' };
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(text).matchAll(/^#{1,6}\s+(.+?)\s*$/gm)].map(([, heading]) => {
    const slug = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** What stands under a heading, up to the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`no heading "${heading}"`);
  const level = /^#+/.exec(lines[start]!)![0].length;
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The body rows of the tables in a text, as cells without their spaces. */
export function tableRowsOf(text: string): string[][] {
  const rows: string[][] = [];
  const lines = text.split('\n');
  lines.forEach((line, at) => {
    if (!line.startsWith('|') || /^\|[\s|:-]+\|$/.test(line)) return;
    if (/^\|[\s|:-]+\|$/.test(lines[at + 1] ?? '')) return; // the head
    rows.push(
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  });
  return rows;
}

/** What a cell has in backticks. */
export function codesOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

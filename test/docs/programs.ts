import { dirname, join } from 'node:path';
import { type Fence, fencesOf, filesUnder, PAGES, textOf } from './markdown.js';

/**
 * How the fences of the pages become programs. A ```ts fence is a program of its own, and is run:
 *
 * - `title="x"`: fences of one page with the same title are one program, in their order.
 * - `no-run: why`: the fence is not run, nor compiled, for the reason that is given.
 * - `from="path"`: the fence is an excerpt: its text stands in that file, below the folder of its page. On the page of a sample,
 *   a fence that imports nothing is an excerpt too, from any file of that sample.
 *
 * What a program prints is compared, line by line, with the comments `// => …` in it, or else with the ```text fence that comes
 * next on the page. In both, the number of a process and durations are not compared.
 */
export interface Program {
  /** Where it begins, for the names of tests. */
  readonly name: string;
  readonly code: string;
  readonly expected: readonly string[] | undefined;
}

export interface Excerpt {
  readonly fence: Fence;
  /** The files that it may stand in. */
  readonly files: readonly string[];
}

export interface Documentation {
  readonly programs: readonly Program[];
  readonly excerpts: readonly Excerpt[];
  /** The fences that are not run, with the reasons they give. */
  readonly notRun: readonly { readonly fence: Fence; readonly reason: string }[];
}

export function readDocumentation(): Documentation {
  const pages = [
    ...PAGES.map((page) => fencesOf(page, textOf(page))),
    ...filesUnder('lib', '.ts').map((path) => fencesOf(path, docstringsOf(textOf(path)))),
  ];
  const programs: Program[] = [];
  const excerpts: Excerpt[] = [];
  const notRun: { fence: Fence; reason: string }[] = [];
  for (const fences of pages) {
    const parts = new Map<string, { fence: Fence; next: Fence | undefined }[]>();
    fences.forEach((fence, at) => {
      if (fence.language !== 'ts' && fence.language !== 'typescript') return;
      const from = attribute(fence, 'from');
      if (/\bno-run\b/.test(fence.info)) {
        notRun.push({ fence, reason: /\bno-run:\s*(.*)$/.exec(fence.info)?.[1] ?? '' });
      } else if (from !== undefined) {
        excerpts.push({ fence, files: [join(dirname(fence.page), from)] });
      } else if (fence.page.startsWith('sample/') && !/^import /m.test(fence.text)) {
        excerpts.push({ fence, files: filesUnder(dirname(fence.page), '.ts') });
      } else {
        const title = attribute(fence, 'title') ?? `line ${fence.line}`;
        const present = parts.get(title) ?? [];
        parts.set(title, [...present, { fence, next: fences[at + 1] }]);
      }
    });
    for (const [title, fencesOfProgram] of parts) programs.push(programOf(title, fencesOfProgram));
  }
  return { programs, excerpts, notRun };
}

/** What is the same in every run: the number of a process and how long something took are not. */
export function normalised(line: string): string {
  return line
    .replace(/<0\.\d+\.(\d+)>/g, '<0.N.$1>')
    .replace(/\b\d+(\.\d+)? ms\b/g, 'N ms')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .trimEnd();
}

function programOf(title: string, parts: { fence: Fence; next: Fence | undefined }[]): Program {
  const { page } = parts[0]!.fence;
  const code = parts.map(({ fence }) => fence.text).join('\n');
  const comments = [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, text]) => text!);
  const { next } = parts.at(-1)!;
  const output = next?.language === 'text' ? next.text.trimEnd().split('\n') : undefined;
  return { name: `${page}, ${title}`, code, expected: comments.length > 0 ? comments : output };
}

function attribute({ info }: Fence, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(info)?.[1];
}

/** The text of the doc comments, each line where it stood; everything else is blank. */
function docstringsOf(source: string): string {
  return source
    .split('\n')
    .map((line) => /^\s*\* ?(?!\/)(.*)$/.exec(line)?.[1] ?? '')
    .join('\n');
}

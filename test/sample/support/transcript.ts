import type { Answer, Http } from './http.js';

/** One `$ command` of a README, and what stands below it. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The fenced blocks of one language, in order. */
export function blocks(readme: string, language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)\\n\`\`\`$`, 'gms'))].map(([, block]) => block!);
}

/** The commands of all `console` blocks. */
export function steps(readme: string): readonly Step[] {
  return blocks(readme, 'console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command, ...output] = step.split('\n');
        return { command: command!, output: output.join('\n').trim() };
      }),
  );
}

/** What differs from run to run: times, and the numbers of processes. That a process is the second of its kind stays visible. */
export function normalised(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '(time)')
    .replace(/<0\.\d+\.(\d+)>/g, '<0.n.$1>')
    .replace(/localhost:\d+/g, 'localhost');
}

/** Does what `curl` would do, as far as the READMEs use it, and gives what it would print. */
export async function curl(command: string, http: Http): Promise<string> {
  const { method, path, body, headers, writesStatus } = parse(command);
  const { text, status }: Answer = await http.raw(method, path, body, headers);
  return `${text}${writesStatus ? status : ''}`;
}

/**
 * Does what a shell would do with a line of the READMEs: `;`, `&`, `sleep` and `for i in … ; do … ; done`. Time passes only in `sleep`
 * and when there is nothing else left to wait for, by `advance`.
 */
export async function shell(line: string, http: Http, advance: (ms: number) => Promise<void>): Promise<string> {
  const unrolled = line.replace(/for \w+ in ([\d ]+); do (.*?); done/g, (_, numbers: string, command: string) =>
    numbers
      .split(' ')
      .map(() => command)
      .join('; '),
  );
  const printed: Promise<string>[] = [];
  for (const [, command, isBackground] of unrolled.matchAll(/\s*((?:'[^']*'|[^;&'])+?)\s*(?:(&)|;|$)/g)) {
    const seconds = /^sleep (.*)$/.exec(command!)?.[1];
    if (seconds !== undefined) {
      await advance(Number(seconds) * 1_000);
      continue;
    }
    const output = curl(command!, http);
    printed.push(output);
    if (isBackground !== undefined) continue;
    if (command!.includes(' -N ')) await advance(LONGEST_STREAM_MS);
    await output;
  }
  return (await Promise.all(printed))
    .map((output) => output.trim())
    .filter((output) => output !== '')
    .join('\n');
}

/** More than any answer of the samples takes. */
const LONGEST_STREAM_MS = 10_000;

function parse(command: string) {
  const [program, ...words] = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  if (program !== 'curl') throw new Error(`A README uses a command that this test does not know: ${command}`);
  let method: string | undefined;
  let body: string | undefined;
  let url: URL | undefined;
  let writesStatus = false;
  const headers: Record<string, string> = {};
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === '-X') method = words.shift();
    else if (word === '--json') body = words.shift();
    else if (word === '-H') {
      const [name, value] = words.shift()!.split(': ');
      headers[name!] = value!;
    } else if (word === '-w' && words.shift() === '%{http_code}\\n') writesStatus = true;
    else if (word === '-N') continue;
    else if (word.startsWith('localhost:3000/')) url = new URL(`http://${word}`);
    else throw new Error(`A README uses an option that this test does not know: ${word} in ${command}`);
  }
  if (url === undefined) throw new Error(`A README asks no address: ${command}`);
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path: url.pathname + url.search,
    body,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    writesStatus,
  };
}

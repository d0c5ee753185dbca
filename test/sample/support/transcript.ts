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
  const { method, path, body, writesStatus } = parse(command);
  const { text, status }: Answer = await http.raw(
    method,
    path,
    body,
    body === undefined ? {} : { 'content-type': 'application/json' },
  );
  return `${text}${writesStatus ? status : ''}`;
}

function parse(command: string) {
  const [program, ...words] = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  if (program !== 'curl') throw new Error(`A README uses a command that this test does not know: ${command}`);
  let method: string | undefined;
  let body: string | undefined;
  let url: URL | undefined;
  let writesStatus = false;
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === '-X') method = words.shift();
    else if (word === '--json') body = words.shift();
    else if (word === '-w' && words.shift() === '%{http_code}\\n') writesStatus = true;
    else if (word.startsWith('localhost:3000/')) url = new URL(`http://${word}`);
    else throw new Error(`A README uses an option that this test does not know: ${word} in ${command}`);
  }
  if (url === undefined) throw new Error(`A README asks no address: ${command}`);
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path: url.pathname + url.search,
    body,
    writesStatus,
  };
}

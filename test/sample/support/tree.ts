import type { ProcessTree } from 'nestjs-genserver';
import type { Http } from './http.js';

/** Everybody in the tree that `GET /tree` shows, by label, or by label and name where there are several. */
export async function processes(http: Http): Promise<Readonly<Record<string, ProcessTree>>> {
  const { json } = await http('GET', '/tree');
  return Object.fromEntries(flat(json as ProcessTree).map((process) => [keyOf(process), process]));
}

function flat(tree: ProcessTree): readonly ProcessTree[] {
  return [tree, ...tree.children.flatMap(flat)];
}

function keyOf({ label, name }: ProcessTree): string {
  return name === null || name === label ? label : `${label} ${name}`;
}

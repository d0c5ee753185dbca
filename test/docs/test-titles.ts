import ts from 'typescript';
import { textOf } from './markdown.js';

const cache = new Map<string, readonly string[]>();

/** The titles of the tests and groups in a spec, as they are written. */
export function testTitlesOf(path: string): readonly string[] {
  let titles = cache.get(path);
  if (titles === undefined) cache.set(path, (titles = readTitles(path)));
  return titles;
}

function readTitles(path: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) {
        titles.push(ts.isStringLiteralLike(title) ? title.text : title.getText());
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true));
  return titles;
}

/** `it`, `describe.each(…)`, `test.skip` and the like. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return ['it', 'test', 'describe'].includes(callee.text);
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTest(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return isTest(callee.tag);
  return false;
}

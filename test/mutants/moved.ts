import ts from 'typescript';
import type { Sources } from './anchors.mjs';

/** A method of lib/ that could as well be a function of a module. */
export interface Method {
  readonly file: string;
  readonly type: string;
  readonly name: string;
}

/** The methods and getters of a class; those that call the method of their base class cannot be anything else. */
export function methodsIn(file: string, text: string): Method[] {
  return membersOf(file, text)
    .filter((member) => !member.getText().includes('super.'))
    .map(({ name, parent }) => ({ file, type: parent.name!.getText(), name: name.getText() }));
}

/**
 * The sources after a refactoring: the method is a function of a module of its own, its object is the first parameter, and it has been
 * formatted by somebody else.
 */
export function movedOut({ file, type, name }: Method, receiver: string, sources: Sources): Sources {
  const text = sources.get(file)!;
  const members = membersOf(file, text).filter(({ parent }) => parent.name?.text === type);
  const member = members.find((each) => each.name.getText() === name)!;
  const names = new Set(members.map((each) => each.name.getText()));
  const parameters = [`${receiver}: ${type}`, ...member.parameters.map((each) => each.getText())];
  const body = asFunctions(member.body!, receiver, names);
  const moved = `export function ${name}(${parameters.join(', ')}) ${body.replaceAll(/\n\s*/g, '\n\n\t')}\n`;
  return new Map([
    ...sources,
    [file, text.slice(0, member.getFullStart()) + text.slice(member.end)],
    ['lib/elsewhere/moved.ts', moved],
  ]);
}

type Member = (ts.MethodDeclaration | ts.GetAccessorDeclaration) & { readonly parent: ts.ClassDeclaration };

function membersOf(file: string, text: string): Member[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(ts.isClassDeclaration)
    .flatMap(({ members }) =>
      members.filter((each) => ts.isMethodDeclaration(each) || ts.isGetAccessorDeclaration(each)),
    )
    .filter(({ body }) => body !== undefined) as Member[];
}

/** Code in which `this` is a variable, and the methods of its class are functions that are given it. */
function asFunctions(node: ts.Node, receiver: string, names: ReadonlySet<string>): string {
  const edits: { from: number; to: number; text: string }[] = [];
  const visit = (each: ts.Node): void => {
    if (ts.isCallExpression(each) && isOwn(each.expression)) {
      const { expression } = each as ts.CallExpression & { expression: ts.PropertyAccessExpression };
      const first = each.arguments.length === 0 ? receiver : `${receiver}, `;
      const open = each.arguments.pos;
      edits.push({ from: expression.getStart(), to: open, text: `${expression.name.text}(${first}` });
      each.arguments.forEach(visit);
      return;
    }
    if (each.kind === ts.SyntaxKind.ThisKeyword) edits.push({ from: each.getStart(), to: each.end, text: receiver });
    ts.forEachChild(each, visit);
  };
  const isOwn = (callee: ts.Expression): boolean =>
    ts.isPropertyAccessExpression(callee) &&
    callee.expression.kind === ts.SyntaxKind.ThisKeyword &&
    names.has(callee.name.text);
  visit(node);
  const begin = node.getStart();
  let text = node.getText();
  for (const { from, to, text: by } of edits.sort((a, b) => b.from - a.from)) {
    text = text.slice(0, from - begin) + by + text.slice(to - begin);
  }
  return text;
}

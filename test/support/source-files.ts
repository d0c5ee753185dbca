import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** One `import`, `export … from`, `import()` or `import('…').T`. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly exportsSomething: boolean;
  /** Every name that the code mentions, and every `a.b` of two names: no comments, no strings. */
  readonly names: ReadonlySet<string>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every TypeScript file below a folder of the repository. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => parse(path, readFileSync(join(ROOT, path), 'utf8')));
}

export function parse(path: string, text: string): SourceFile {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    if (ts.isIdentifier(node)) names.add(node.text);
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      names.add(`${node.expression.text}.${node.name.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { path, text, imports, exportsSomething: source.statements.some(isExport), names };
}

/** The file that a relative import means, from the root of the repository; undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(from), specifier).replace(/\.js$/, '.ts');
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) return made(node.moduleSpecifier, isTypeOnlyImport(node.importClause));
  if (ts.isExportDeclaration(node)) return made(node.moduleSpecifier, isTypeOnlyExport(node));
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return made(node.argument.literal, true);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');
  return loads ? made(node.arguments[0], false) : undefined;
}

function made(specifier: ts.Node | undefined, isTypeOnly: boolean): Import | undefined {
  return specifier !== undefined && ts.isStringLiteralLike(specifier)
    ? { specifier: specifier.text, isTypeOnly }
    : undefined;
}

function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // for its effects
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (clause.name !== undefined) return false;
  const bindings = clause.namedBindings;
  return (
    bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

function isTypeOnlyExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  return (
    exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.every((one) => one.isTypeOnly)
  );
}

function isExport(statement: ts.Statement): boolean {
  if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) return true;
  return ts.canHaveModifiers(statement)
    ? (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    : false;
}

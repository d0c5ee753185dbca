import { dirname, join } from 'node:path';
import ts from 'typescript';
import { filesUnder, ROOT } from './markdown.js';

/** What the sources declare, as the compiler sees it: what the tables of the README are compared with. */
export interface SourceFacts {
  /** The keys of an exported interface. */
  keysOf(file: string, name: string): string[];
  /** The error classes that users can import, with their codes. */
  readonly errors: ReadonlyMap<string, string>;
  /** The types of events that what users can import may emit, with the fields of each besides `type`. */
  readonly events: ReadonlyMap<string, readonly string[]>;
  /** The members of a union of string literals. */
  literalsOf(file: string, name: string): string[];
}

export function readSources(): SourceFacts {
  const program = ts.createProgram(
    filesUnder('lib', '.ts').map((path) => join(ROOT, path)),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      experimentalDecorators: true,
      types: ['node'],
    },
  );
  const checker = program.getTypeChecker();
  const exportOf = (file: string, name: string): ts.Symbol => {
    const source = program.getSourceFile(join(ROOT, file))!;
    const found = checker
      .getExportsOfModule(checker.getSymbolAtLocation(source)!)
      .find((symbol) => symbol.name === name);
    if (found === undefined) throw new Error(`${file} exports no ${name}`);
    return found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found;
  };
  const typeOf = (file: string, name: string): ts.Type => checker.getDeclaredTypeOfSymbol(exportOf(file, name));
  const literal = (type: ts.Type, key: string): string | undefined => {
    const property = type.getProperty(key);
    const value = property === undefined ? undefined : checker.getTypeOfSymbol(property);
    return value?.isStringLiteral() ? value.value : undefined;
  };

  const errors = new Map<string, string>();
  const door = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, 'lib/index.ts'))!)!;
  for (const exported of checker.getExportsOfModule(door)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
    const code = literal(checker.getDeclaredTypeOfSymbol(symbol), 'code');
    if (code !== undefined) errors.set(exported.name, code);
  }

  const behindTheDoor = reachableFrom('lib/index.ts', program);
  const isEmitted = (type: string): boolean => behindTheDoor.some((file) => file.text.includes(`'${type}'`));
  const events = new Map<string, readonly string[]>();
  const union = typeOf('lib/observability/events.ts', 'GenServerEvent');
  for (const event of union.isUnion() ? union.types : [union]) {
    const type = literal(event, 'type')!;
    const fields = event.getProperties().map(({ name }) => name);
    if (isEmitted(type)) events.set(type, fields.filter((field) => field !== 'type').sort());
  }

  return {
    keysOf: (file, name) =>
      typeOf(file, name)
        .getProperties()
        .map((property) => property.name),
    errors,
    events,
    literalsOf: (file, name) => {
      const type = typeOf(file, name);
      return (type.isUnion() ? type.types : [type]).filter((part) => part.isStringLiteral()).map((part) => part.value);
    },
  };
}

/** What a file imports at run time, and what that imports. */
function reachableFrom(entry: string, program: ts.Program): ts.SourceFile[] {
  const reached = new Set<ts.SourceFile>();
  const visit = (path: string): void => {
    const file = program.getSourceFile(path);
    if (file === undefined || reached.has(file)) return;
    reached.add(file);
    for (const statement of file.statements) {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
      const { moduleSpecifier } = statement;
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier) || isTypeOnly(statement)) continue;
      if (moduleSpecifier.text.startsWith('.')) {
        visit(join(dirname(path), moduleSpecifier.text.replace(/\.js$/, '.ts')));
      }
    }
  };
  visit(join(ROOT, entry));
  return [...reached];
}

function isTypeOnly(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const named = ts.isImportClause(clause) ? clause.namedBindings : clause.exportClause;
  if (named === undefined || ts.isNamespaceImport(named) || ts.isNamespaceExport(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

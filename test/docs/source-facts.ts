import { dirname, join } from 'node:path';
import ts from 'typescript';
import { filesUnder, ROOT } from './markdown.js';

/** Where the sources declare what the pages have tables of. When a file moves, this is the place to say so. */
export const DECLARED = {
  door: 'lib/index.ts',
  GenServerEvent: 'lib/observability/events.ts',
  GenServerOptions: 'lib/nest/gen-server.options.ts',
  GenServerModuleOptions: 'lib/nest/gen-server.options.ts',
  ProcessLimits: 'lib/runtime/limits.ts',
  SupervisorOptions: 'lib/supervision/supervisor-options.ts',
  HandleCallOptions: 'lib/nest/decorators/handle-call.decorator.ts',
  HandleCastOptions: 'lib/nest/decorators/handle-cast.decorator.ts',
  ClientOptions: 'lib/nest/clients/gen-server-client.ts',
  Strategy: 'lib/supervision/strategies.ts',
  Restart: 'lib/supervision/restart-policy.ts',
  TreeStatus: 'lib/nest/tree/application-supervisor.ts',
} as const;

/** A type that the pages have a table of, or the words of. */
export type DeclaredType = Exclude<keyof typeof DECLARED, 'door'>;

/** What the sources declare, as the compiler sees it: what the tables of the pages are compared with. */
export interface SourceFacts {
  /** The keys of an exported interface. */
  keysOf(name: DeclaredType): string[];
  /** The error classes that users can import, with their codes. */
  readonly errors: ReadonlyMap<string, string>;
  /** The types of events that what users can import may emit, with the fields of each besides `type`. */
  readonly events: ReadonlyMap<string, readonly string[]>;
  /** The members of a union of string literals. */
  literalsOf(name: DeclaredType): string[];
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
  const typeOf = (name: DeclaredType): ts.Type => checker.getDeclaredTypeOfSymbol(exportOf(DECLARED[name], name));
  const literal = (type: ts.Type, key: string): string | undefined => {
    const property = type.getProperty(key);
    const value = property === undefined ? undefined : checker.getTypeOfSymbol(property);
    return value?.isStringLiteral() ? value.value : undefined;
  };

  const errors = new Map<string, string>();
  const door = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, DECLARED.door))!)!;
  for (const exported of checker.getExportsOfModule(door)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
    const code = literal(checker.getDeclaredTypeOfSymbol(symbol), 'code');
    if (code !== undefined) errors.set(exported.name, code);
  }

  const behindTheDoor = reachableFrom(DECLARED.door, program);
  const isEmitted = (type: string): boolean => behindTheDoor.some((file) => file.text.includes(`'${type}'`));
  const events = new Map<string, readonly string[]>();
  const union = typeOf('GenServerEvent');
  for (const event of union.isUnion() ? union.types : [union]) {
    const type = literal(event, 'type')!;
    const fields = event.getProperties().map(({ name }) => name);
    if (isEmitted(type)) events.set(type, fields.filter((field) => field !== 'type').sort());
  }

  return {
    keysOf: (name) =>
      typeOf(name)
        .getProperties()
        .map((property) => property.name),
    errors,
    events,
    literalsOf: (name) => {
      const type = typeOf(name);
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

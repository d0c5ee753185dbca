import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOORS as PACKAGE_DOORS } from './package/build/doors.mjs';
import { parse, resolveImport, type SourceFile, sourceFiles } from './support/source-files.js';

/** The rooms of lib/, from the ground up, and which other rooms each may use. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  runtime: [],
  'gen-server': ['runtime'],
  supervision: ['runtime', 'gen-server'],
  registry: ['runtime', 'gen-server'],
  observability: ['runtime', 'gen-server'],
  nest: ['runtime', 'gen-server', 'supervision', 'registry', 'observability', 'composition'],
  // lib/create-runtime.ts puts a world together and therefore knows every room but Nest.
  composition: ['runtime', 'gen-server', 'supervision', 'registry', 'observability'],
  testing: ['runtime', 'gen-server', 'supervision', 'registry', 'observability', 'nest', 'composition'],
  doors: ['runtime', 'gen-server', 'supervision', 'registry', 'observability', 'nest', 'composition'],
};

/**
 * Siblings do not meet, with one exception: the catalogue of events, the log reporter and the inspector name the types of
 * supervision and registry. Nothing of that is left at run time.
 */
const MAY_IMPORT_TYPES: Record<string, readonly string[]> = { observability: ['supervision', 'registry'] };

/**
 * The floors of the three large rooms, from the ground up: a folder with all that is in it, or a file. Each may use its own floor and
 * those below.
 */
const FLOORS: Record<string, readonly string[]> = {
  runtime: [
    'keep-shape.ts',
    'linked-list.ts',
    'isolation/',
    'prototype-chain.ts',
    'secrets/',
    'first-failure.ts',
    'pid.ts',
    'with-resolvers.ts',
    'mailbox/',
    'errors.ts',
    'exits/',
    'limits.ts',
    'ports.ts',
    'system-ports.ts',
    'server-name.ts',
    'name-index.ts',
    'scheduling/',
    'time/',
    'relations/',
    'tracking.ts',
    'runtime.ts',
    'process.ts',
    'registration.ts',
    'timers.ts',
  ],
  'gen-server': [
    'errors.ts',
    'key-table.ts',
    'arguments-refused-error.ts',
    'events.ts',
    'results/',
    'definition/',
    'process/',
    'streams/',
    'tasks/',
    'client/',
    'stray-errors.ts',
    'self.ts',
    'gen-server-base.ts',
    'schema/',
    'behaviour.ts',
    'agent.ts',
    'gen-server.ts',
  ],
  nest: [
    'errors.ts',
    'gen-server.messages.ts',
    'gen-server.constants.ts',
    'gen-server.options.ts',
    'gen-server-feature.module.ts',
    'transport/',
    'discovery/',
    'injection/',
    'decorators/',
    'clients/',
    'tree/',
    'providers/',
    'gen-server-runtime.ts',
    'gen-server.module.ts',
    'pub-sub.module.ts',
  ],
};

const DOORS = Object.values(PACKAGE_DOORS).map((entry) => `lib/${entry}.ts`);
const TOP_LEVEL: Record<string, string> = {
  'lib/index.ts': 'doors',
  'lib/core.ts': 'doors',
  'lib/create-runtime.ts': 'composition',
};

/** Time and chance come in through the ports of this file. */
const SYSTEM_PORTS = 'lib/runtime/system-ports.ts';
const BANNED_NAMES = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'randomUUID'],
  ...['Date.now', 'Math.random', 'process.hrtime', 'process.nextTick'],
];

/** Files of more than {@link MOST_LINES} lines, and why each is one. */
const LONG_FILES: Record<string, string> = {
  'lib/gen-server/process/gen-server-process.ts':
    'the life of one process from init to its end: start, messages, results and exit share its private state',
};
const MOST_LINES = 400;

const files = sourceFiles('lib');
const byPath = new Map(files.map((file) => [file.path, file]));

function roomOf(path: string): string {
  return TOP_LEVEL[path] ?? path.split('/')[1]!;
}

/** The files of ours that a file imports. */
function importedFiles(file: SourceFile): { path: string; isTypeOnly: boolean }[] {
  return file.imports.flatMap(({ specifier, isTypeOnly }) => {
    const path = resolveImport(file.path, specifier);
    return path === undefined ? [] : [{ path, isTypeOnly }];
  });
}

/** What a file imports that is not ours. */
function importedPackages(file: SourceFile): string[] {
  return file.imports.map(({ specifier }) => specifier).filter((specifier) => !specifier.startsWith('.'));
}

function isAllowed(from: string, to: string, isTypeOnly: boolean): boolean {
  if (from === to) return true;
  return MAY_IMPORT[from]!.includes(to) || (isTypeOnly && (MAY_IMPORT_TYPES[from] ?? []).includes(to));
}

/** The number of the floor that a file stands on; -1 when it stands on none. */
function floorOf(path: string): number {
  const room = roomOf(path);
  const place = path.slice(`lib/${room}/`.length);
  return FLOORS[room]!.findIndex((floor) => (floor.endsWith('/') ? place.startsWith(floor) : place === floor));
}

/** The first circle in a graph, as the way round it; undefined when there is none. */
function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, way: string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const circle = visit(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('the rooms of lib/', () => {
  it('are all known: a new room needs a place in the table', () => {
    const rooms = new Set(files.map(({ path }) => roomOf(path)));
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it.each(files)('$path imports only the rooms below its own', (file) => {
    const from = roomOf(file.path);
    const up = importedFiles(file).filter(({ path, isTypeOnly }) => !isAllowed(from, roomOf(path), isTypeOnly));
    expect(up).toEqual([]);
  });

  it('do not import each other in a circle', () => {
    const edges = new Map<string, string[]>();
    for (const file of files) {
      const from = roomOf(file.path);
      const to = importedFiles(file).map(({ path }) => roomOf(path));
      edges.set(from, [...(edges.get(from) ?? []), ...to.filter((room) => room !== from)]);
    }
    expect(findCircle(edges)).toBeUndefined();
  });
});

describe('the floors of a room', () => {
  const onFloors = files.filter((file) => (FLOORS[roomOf(file.path)] ?? []).length > 0);

  it('hold every file of it: a new folder needs a place in the table', () => {
    expect(onFloors.filter(({ path }) => floorOf(path) === -1).map(({ path }) => path)).toEqual([]);
  });

  it('are all there', () => {
    const taken = new Set(onFloors.map(({ path }) => `${roomOf(path)}/${FLOORS[roomOf(path)]![floorOf(path)]}`));
    const named = Object.entries(FLOORS).flatMap(([room, floors]) => floors.map((floor) => `${room}/${floor}`));
    expect(named.filter((floor) => !taken.has(floor))).toEqual([]);
  });

  it.each(onFloors)('$path imports only its own floor and those below, types included', (file) => {
    const above = importedFiles(file)
      .map(({ path }) => path)
      .filter((path) => roomOf(path) === roomOf(file.path) && floorOf(path) > floorOf(file.path));
    expect(above).toEqual([]);
  });
});

describe('the files of lib/', () => {
  it('do not import each other in a circle, types included', () => {
    const edges = new Map(files.map((file) => [file.path, importedFiles(file).map(({ path }) => path)]));
    expect(findCircle(edges)).toBeUndefined();
  });
});

describe('a file of lib/', () => {
  it.each(files)('$path imports files that are there', (file) => {
    expect(importedFiles(file).filter(({ path }) => !byPath.has(path))).toEqual([]);
  });

  it.each(files.filter(({ path }) => roomOf(path) !== 'nest'))('$path leaves Nest and RxJS to nest/', (file) => {
    expect(importedPackages(file).filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  it.each(files.filter(({ path }) => roomOf(path) === 'nest'))('$path needs no package but the peers', (file) => {
    const peers = /^(node:|@nestjs\/(common|core)(\/|$)|rxjs(\/|$)|reflect-metadata$)/;
    expect(importedPackages(file).filter((name) => !peers.test(name))).toEqual([]);
  });

  it.each(files.filter(({ path }) => path !== SYSTEM_PORTS))(
    '$path has time and chance from the ports only',
    (file) => {
      expect(BANNED_NAMES.filter((name) => file.names.has(name))).toEqual([]);
    },
  );

  it.each(files)('$path does not go through a door', (file) => {
    const doors = importedFiles(file).filter(({ path }) => DOORS.includes(path));
    const packages = importedPackages(file).filter((name) => name.startsWith('nestjs-genserver'));
    expect([...doors, ...packages]).toEqual([]);
  });

  it.each(files)('$path is named after what is in it', ({ path }) => {
    expect(basename(path)).not.toMatch(/^(utils?|helpers?|common|types?|misc|shared)\.ts$/);
  });

  it.each(files)(`$path has at most ${MOST_LINES} lines, or a reason`, ({ path, text }) => {
    const lines = text.split('\n').length - 1;
    if (path in LONG_FILES) expect(lines, 'it is no longer long: take it off the list').toBeGreaterThan(MOST_LINES);
    else expect(lines).toBeLessThanOrEqual(MOST_LINES);
  });

  it('that exports something can be reached from a door', () => {
    const reached = new Set<string>();
    const pending = [...DOORS];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      const file = byPath.get(path);
      if (file !== undefined) pending.push(...importedFiles(file).map((imported) => imported.path));
    }
    const unreached = files.filter(({ path, exportsSomething }) => exportsSomething && !reached.has(path));
    expect(unreached.map(({ path }) => path)).toEqual([]);
  });
});

describe('these rules', () => {
  it('see every form of import, and which of them are left at run time', () => {
    const { imports } = parse(
      'lib/runtime/example.ts',
      `import './effect.js';
       import value from './default.js';
       import * as all from './namespace.js';
       import { one, type Two } from './mixed.js';
       import type { Three } from './type.js';
       import { type Four } from './inline-type.js';
       export { five } from './re-export.js';
       export type { Six } from './re-export-type.js';
       export * from './re-export-all.js';
       type Seven = import('./import-type.js').Seven;
       const eight = await import('./dynamic.js');
       const nine = require('./require.js');
       // import './comment.js';
       const ten = "import './string.js'";`,
    );
    expect(imports.map(({ specifier, isTypeOnly }) => `${specifier} ${isTypeOnly ? 'type' : 'value'}`)).toEqual([
      './effect.js value',
      './default.js value',
      './namespace.js value',
      './mixed.js value',
      './type.js type',
      './inline-type.js type',
      './re-export.js value',
      './re-export-type.js type',
      './re-export-all.js value',
      './import-type.js type',
      './dynamic.js value',
      './require.js value',
    ]);
  });

  it('find names in code, not in comments or strings', () => {
    const { names } = parse(
      'a.ts',
      `// setTimeout\nconst text = 'Date.now'; globalThis.setImmediate(() => Math.random());`,
    );
    expect(BANNED_NAMES.filter((name) => names.has(name))).toEqual(['setImmediate', 'Math.random']);
  });

  it('let observability name the types of supervision, and not use it', () => {
    expect(isAllowed('observability', 'supervision', true)).toBe(true);
    expect(isAllowed('observability', 'supervision', false)).toBe(false);
    expect(isAllowed('supervision', 'observability', true)).toBe(false);
    expect(isAllowed('registry', 'supervision', true)).toBe(false);
  });

  it('know the floor of a file by its folder or by its name', () => {
    expect(floorOf('lib/nest/errors.ts')).toBe(0);
    expect(floorOf('lib/nest/tree/application-supervisor.ts')).toBeLessThan(floorOf('lib/nest/gen-server.module.ts'));
    expect(floorOf('lib/nest/nowhere.ts')).toBe(-1);
  });

  it('find a circle and name the way round it', () => {
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
    expect(
      findCircle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toBeUndefined();
  });
});

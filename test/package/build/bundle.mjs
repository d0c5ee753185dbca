// Makes what is shipped of dist/modules, which the compiler has filled:
//
// - dist/cjs: the code, once, as CommonJS. A file per door, and behind it a chunk per door: with one file instead of a hundred, the
//   package loads four times faster, and calls between modules stay calls of a name.
// - dist/cjs/**/*.d.ts: the declarations, once.
// - dist/esm: for each door, an ES module that exports by name what the CommonJS file has. `import` and `require` thus give the same
//   classes, in Node and in a bundle.
//
// There are no source maps: the code is what the compiler made, with its names and comments, and the TypeScript that a map would
// point to is not shipped.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { DOORS } from './doors.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const dist = join(root, 'dist');
const modules = join(dist, 'modules');
const entries = Object.values(DOORS);
const INTERNALS = 'internals';

/**
 * Makes CommonJS of a chunk. The bundler's own would read `require_core.call` through a getter at each call from one chunk to
 * another; a constant is as fast as the binding of an ES module. It may be one: chunks do not import each other in a circle, and no
 * module exports what it changes.
 */
const asCommonJs = {
  name: 'as-commonjs',
  renderChunk(code, { fileName }) {
    const body = code
      .replaceAll(/^import (.+) from "(.+)";$/gm, (_, names, from) => `const ${constants(names)} = ${loaded(from)};`)
      .replace(/^export \{ (.+) \};\n?$/m, (_, names) =>
        names
          .split(', ')
          .map((name) => name.split(' as '))
          .map(([local, exported = local]) => `exports.${exported} = ${local};\n`)
          .join(''),
      );
    const left = /^(?:import|export)\b.*|\bimport\.meta\b|\bimport\(.*/m.exec(body);
    if (left !== null) throw new Error(`${fileName}: no CommonJS was made of \`${left[0]}\`.`);
    return `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n${body}`;
  },
};

/** `{ a, b as c }` as a pattern. `* as a` is the module itself: its members are read when they are used, as they may be replaced. */
function constants(names) {
  return names.replace(/^\* as /, '').replaceAll(/([\w$]+) as ([\w$]+)/g, '$1: $2');
}

/**
 * A bundler that makes an ES module of CommonJS keeps `require('node:util')`, and ES modules have no `require`. `getBuiltinModule`
 * is how Node gives its own modules to both.
 */
function loaded(from) {
  return from.startsWith('node:') ? `process.getBuiltinModule("${from}")` : `require("${from}")`;
}

await writeCode();
write('cjs/package.json', `${JSON.stringify({ type: 'commonjs' })}\n`);
for (const file of declarationsBehind(entries)) {
  write(`cjs/${file}`, forBothKinds(readFileSync(join(modules, file), 'utf8')));
}
for (const entry of entries) writeFace(entry);

async function writeCode() {
  const bundle = await rolldown({
    input: {
      ...Object.fromEntries(entries.map((entry) => [entry, join(modules, `${entry}.js`)])),
      [INTERNALS]: join(root, 'test/package/build/internals.mjs'),
    },
    external: /^[^./]/,
    platform: 'node',
    treeshake: { moduleSideEffects: true },
  });
  let chunkOf;
  await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: ({ name }) => (name === INTERNALS ? 'internals.cjs' : 'cjs/[name].js'),
    chunkFileNames: 'cjs/chunks/[name].js',
    minifyInternalExports: false,
    codeSplitting: {
      groups: [
        {
          debugName: 'door',
          name: (id, context) => (chunkOf ??= chunksOfModules((of) => context.getModuleInfo(of))).get(id) ?? null,
        },
      ],
    },
    plugins: [asCommonJs],
  });
  await bundle.close();
}

/** The chunk of each module: that of the first door from which it is reached. */
function chunksOfModules(infoOf) {
  const chunks = new Map();
  for (const entry of entries) {
    const pending = [join(modules, `${entry}.js`)];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (chunks.has(id)) continue;
      chunks.set(id, entry.replace(/\/index$/, ''));
      pending.push(...infoOf(id).importedIds.filter((imported) => imported.startsWith(modules)));
    }
  }
  return chunks;
}

/** The declaration files that those of the doors need, directly or not, relative to `modules`. */
function declarationsBehind(entries) {
  const found = new Set();
  const pending = entries.map((entry) => join(modules, `${entry}.d.ts`));
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const imports = readFileSync(path, 'utf8').matchAll(/(?:from |import\(|import )['"](\.[^'"]+)\.js['"]/g);
    for (const [, imported] of imports) pending.push(resolve(dirname(path), `${imported}.d.ts`));
  }
  return [...found].map((path) => relative(modules, path));
}

/**
 * Nest 12 consists of ES modules, which the declarations of CommonJS may name only so (`"module": "node16"`). Nest 11 is found like
 * this as well.
 */
function forBothKinds(declarations) {
  return declarations
    .replaceAll(/^import (?:type )?(\{.*\}) from ('@nestjs\/\w+');$/gm, (_, names, from) => {
      return `import type ${names.replaceAll(/\btype /g, '')} from ${from} with { 'resolution-mode': 'import' };`;
    })
    .replaceAll(/\bimport\(("@nestjs\/\w+")\)/g, 'import($1, { with: { "resolution-mode": "import" } })');
}

/** The names are asked of the built file, so that they are those that `require` gives. */
function writeFace(entry) {
  const names = Object.keys(createRequire(import.meta.url)(join(dist, `cjs/${entry}.js`))).sort();
  const cjs = `${'../'.repeat(entry.split('/').length)}cjs/${entry}.js`;
  write(`esm/${entry}.js`, `export {\n${names.map((name) => `  ${name},\n`).join('')}} from '${cjs}';\n`);
  write(`esm/${entry}.d.ts`, `export * from '${cjs}';\n`);
}

function write(file, text) {
  const path = join(dist, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

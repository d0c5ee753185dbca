/**
 * The sub-paths of the package, and the file of `lib` behind each, without its extension. A new sub-path is a line here, and what
 * the test of this table asks for in package.json and tsconfig.json.
 *
 * A module that several doors need is built into the chunk of the first of them: a door comes after those that it builds on.
 */
export const DOORS = {
  './core': 'core',
  '.': 'index',
  './testing': 'testing/index',
};

export const PACKAGE = 'nestjs-genserver';

/** What a user writes to import the door: `nestjs-genserver/core`. */
export function specifierOf(subPath) {
  return PACKAGE + subPath.slice(1);
}

/** The files of a door: what Node loads for `import`, for `require`, and the declarations of both. */
export function filesOf(entry) {
  return {
    esm: `./dist/esm/${entry}.js`,
    esmTypes: `./dist/esm/${entry}.d.ts`,
    cjs: `./dist/cjs/${entry}.js`,
    cjsTypes: `./dist/cjs/${entry}.d.ts`,
  };
}

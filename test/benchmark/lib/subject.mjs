// The package that is measured, as built. By path, because this folder has a package.json of its own: `nestjs-genserver` would
// not be found from here.
export * from '../../../dist/esm/index.js';

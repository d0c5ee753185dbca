// The same, by its door without NestJS.
export * from '../../../dist/esm/core.js';

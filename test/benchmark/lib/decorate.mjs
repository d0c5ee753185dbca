// Plain JavaScript, so that what is measured is the built package and nothing that compiles for it. This is what the decorators
// of a TypeScript class come to.
import 'reflect-metadata';
import { GenServer } from './subject.mjs';

/** Decorates a server class: its handlers by name, the tokens its constructor takes, and the class itself. */
export function decorateServer(type, handlers, { options, dependencies = [] } = {}) {
  for (const [name, decorator] of Object.entries(handlers)) {
    decorator(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name));
  }
  if (dependencies.length > 0) Reflect.defineMetadata('design:paramtypes', dependencies, type);
  GenServer(options)(type);
  return type;
}

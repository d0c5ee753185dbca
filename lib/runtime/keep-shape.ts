const specimens: object[] = [];

/**
 * Keeps one object of a class that has many short lives. V8 forgets the hidden class of objects that are all gone, and every function
 * that was compiled for them with it: full collections at moments when no message is on its way made all that handles messages slow
 * again. It is no more than that which is lost where a bundler finds that nobody reads the list.
 */
export function keepShape(specimen: object): void {
  specimens.push(specimen);
}

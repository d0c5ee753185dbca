const specimens: object[] = [];

/**
 * Keeps one object of a class that has many short lives. V8 forgets the hidden class of objects that are all gone, and every function
 * that was compiled for them with it: full collections at moments when no message is on its way, and no process starts or ends, made
 * all that has to do with them slow again. A bundler that leaves the list out, since nobody reads it, costs no more than that.
 */
export function keepShape(specimen: object): void {
  specimens.push(specimen);
}

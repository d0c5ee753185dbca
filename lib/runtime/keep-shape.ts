/** A small integer, any other number, and anything else: what V8 tells apart in a field, the most general last. */
const REPRESENTATIONS: readonly unknown[] = [0, 0.5, null];

const specimens: object[] = [];

/**
 * Keeps one object of a class that has many short lives. V8 forgets the hidden class of objects that are all gone, and every function
 * that was compiled for them with it: a full collection at a moment when no message is on its way made all that handles messages slow
 * again. `make` puts what it is given into each field that may hold anything, so that the specimen is of the form that the others will
 * have, whatever they are made with.
 */
export function keepShape(make: (anything: never) => object): void {
  let specimen: object | undefined;
  for (const value of REPRESENTATIONS) specimen = make(value as never);
  specimens.push(specimen!);
}

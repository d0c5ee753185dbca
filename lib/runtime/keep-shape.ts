const specimens: object[] = [];

/**
 * Keeps one instance of a class with many short-lived instances alive for ever, and with it the hidden class. When all instances are
 * garbage, V8 drops the hidden class and deoptimizes every function that was compiled for it: full collections while no message was in
 * flight, and no process started or ended, made the code that uses the class slow again. A bundler may remove the list, since nothing
 * reads it; that costs only this optimization.
 */
export function keepShape(specimen: object): void {
  specimens.push(specimen);
}

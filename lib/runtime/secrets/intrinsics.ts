/* eslint-disable @typescript-eslint/unbound-method -- called on what they are for */

// What the language keeps in its own data, asked of the engine: a field or a class of the user's may stand in front of the method of
// that name. Each throws when it is called on anything else.

export const timeOf = Date.prototype.getTime;
export const sourceOf = Function.prototype.toString;
export const entriesOfMap = Map.prototype.entries as (this: unknown) => Iterator<[unknown, unknown], undefined>;
export const itemsOfSet = Set.prototype.values as (this: unknown) => Iterator<unknown, undefined>;
export const sizeOfMap = getterOf(Map.prototype, 'size');
export const sizeOfSet = getterOf(Set.prototype, 'size');
export const lengthOfBytes = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, 'length');

function getterOf(prototype: object, name: string): (this: unknown) => number {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get as (this: unknown) => number;
}

/* eslint-disable @typescript-eslint/unbound-method -- called on what they are for */

// Internal data of built-in values, read through the engine's own methods: a user's field or class may shadow the method of
// that name. Each method throws when it is called on another kind of value.

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

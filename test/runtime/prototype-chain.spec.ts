import { describe, expect, it } from 'vitest';
import { walkPrototypes } from '../../lib/runtime/prototype-chain.js';

class Base {}
class Middle extends Base {}
class Last extends Middle {}

describe('walkPrototypes', () => {
  it('visits the first and all that it inherits from, the nearest first', () => {
    const visited: object[] = [];
    expect(walkPrototypes(Last.prototype, (prototype) => void visited.push(prototype))).toBeUndefined();
    expect(visited).toEqual([Last.prototype, Middle.prototype, Base.prototype, Object.prototype]);
  });

  it.each([null, false, 0, ''])('ends with the first answer, which may be %j', (answer) => {
    const visited: object[] = [];
    const found = walkPrototypes<unknown>(Last.prototype, (prototype) => {
      visited.push(prototype);
      return prototype === Middle.prototype ? answer : undefined;
    });
    expect(found).toBe(answer);
    expect(visited).toEqual([Last.prototype, Middle.prototype]);
  });

  it('visits nothing where there is no prototype, and ends where a chain ends without Object.prototype', () => {
    expect(
      walkPrototypes(Object.getPrototypeOf(Object.create(null)) as object | null, () => 'visited'),
    ).toBeUndefined();
    const root = Object.create(null) as object;
    const visited: object[] = [];
    walkPrototypes(Object.create(root) as object, (prototype) => void visited.push(prototype));
    expect(visited[1]).toBe(root);
    expect(visited).toHaveLength(2);
  });

  it('lets an error of the visitor pass', () => {
    const error = new Error('cannot be looked at');
    const visit = (): never => {
      throw error;
    };
    expect(() => walkPrototypes(Base.prototype, visit)).toThrow(error);
  });
});

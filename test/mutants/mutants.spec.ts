import { describe, expect, it } from 'vitest';
import { applyMutant, identifiersOf, readLibrary, type Sources } from './anchors.mjs';
import { type Method, methodsIn, movedOut } from './moved.js';
import { type Mutant, mutants } from './mutants.list.mjs';
import { syntaxErrorsOf } from './mutate.mjs';

const all: readonly Mutant[] = mutants;
const library = readLibrary();

describe('the mutants', () => {
  it('are at least a hundred, each with a name of its own', () => {
    expect(all.length).toBeGreaterThanOrEqual(100);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it.each(all)('$id is one edit of $in, and transpiles', (mutant) => {
    const { file, text } = applyMutant(mutant, library);
    expect(text).not.toBe(library.get(file));
    expect(syntaxErrorsOf(file, text)).toEqual([]);
  });

  it('use no name that the library does not use', () => {
    const known = new Set([...library.values()].flatMap(identifiersOf));
    const code = all.flatMap(({ by, insert }) => identifiersOf(by ?? insert ?? ''));
    expect(code.filter((name) => name !== '$' && !known.has(name))).toEqual([]);
  });
});

describe('a mutant of a method', () => {
  const methods = [...library].flatMap(([file, text]) => methodsIn(file, text));
  const cases = all.flatMap((mutant) => {
    const { file, owner } = applyMutant(mutant, library);
    const name = mutant.in.split('.').at(-1);
    const method = methods.find((each) => each.file === file && each.type === owner && each.name === name);
    return method === undefined ? [] : [{ id: mutant.id, mutant, method }];
  });
  const refactored = new Map<Method, Sources>();

  it('is what most of them are', () => {
    expect(cases.length).toBeGreaterThan(50);
  });

  it.each(cases)('$id still applies when the method is a function of another file', ({ mutant, method }) => {
    const moved = refactored.get(method) ?? movedOut(method, 'server', library);
    refactored.set(method, moved);
    const { file, text } = applyMutant(mutant, moved);
    expect(file).toBe('lib/elsewhere/moved.ts');
    expect(text).not.toBe(moved.get(file));
    expect(text.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, '')).not.toMatch(/\bthis\b/);
    expect(syntaxErrorsOf(file, text)).toEqual([]);
  });
});

describe('a mutant that does not fit', () => {
  const sources = new Map([
    ['lib/a.ts', 'class A { run() { this.go(); this.stop(); } rest() { this.go(); this.go(); } }'],
    ['lib/b.ts', 'export function walk(pace: number) { go(pace); }'],
  ]);
  const apply = (mutant: Partial<Mutant>) => () =>
    applyMutant({ id: 'odd', breaks: 'nothing', in: 'run', ...mutant }, sources);

  it('says which function has nothing of the kind, and which has', () => {
    expect(apply({ remove: 'go(pace);' })).toThrow(
      'mutant odd: `go(pace);` is nowhere: it is not in run() of lib/a.ts. It is in walk() of lib/b.ts.',
    );
  });

  it('says that there is no function of that name', () => {
    expect(apply({ in: 'fly', remove: 'flap();' })).toThrow(
      'mutant odd: `flap();` is nowhere: there is no function fly in lib/. Nor is it anywhere else: write it as it is now.',
    );
  });

  it('says where it is when it is there more than once', () => {
    expect(apply({ in: 'rest', remove: 'go();' })).toThrow(
      'mutant odd: `go();` is there 2 times, in rest() of lib/a.ts. Say more of it, or of which class rest is.',
    );
  });

  it('says that it needs a `this` where there is none', () => {
    expect(apply({ in: 'walk', replace: 'go(pace)', by: 'this.go()' })).toThrow(
      'mutant odd: it needs `this`, and walk of lib/b.ts has none, nor a parameter for it',
    );
  });

  it('says that it has nothing to look for', () => {
    expect(apply({ by: 'stop()' })).toThrow('mutant odd: it says nothing to remove, to replace or to insert at');
  });
});

describe('an edit', () => {
  const edited = (code: string, mutant: Partial<Mutant>) =>
    applyMutant({ id: 'one', breaks: 'one rule', in: 'run', ...mutant }, new Map([['lib/a.ts', code]])).text;
  const method = 'class A { run() { if (this.isOn) this.stop(this.now); } }';
  const moved = 'function run(server: A) { if (isOn(server)) { stop(server, server.now); } }';

  it.each<[what: string, mutant: Partial<Mutant>, inMethod: string, inFunction: string]>([
    ['a statement out', { remove: 'stop(now);' }, 'if (this.isOn) ;', 'if (isOn(server)) { ; }'],
    [
      'a name in place of a name',
      { replace: '«stop»(now)', by: 'go' },
      'this.go(this.now);',
      'go(server, server.now);',
    ],
    ['more around what is there', { replace: 'isOn', by: '!($&)' }, 'if (!(this.isOn))', 'if (!(isOn(server)))'],
    ['code before', { before: 'stop(now);', insert: 'this.x++;' }, 'this.x++; this.stop(', 'server.x++; stop(server'],
    ['code after', { after: 'stop(now);', insert: 'this.x++;' }, 'now); this.x++;', 'server.now); server.x++;'],
  ])('puts %s, in a method and in the function that it becomes', (_what, mutant, inMethod, inFunction) => {
    expect(edited(method, mutant)).toContain(inMethod);
    expect(edited(moved, mutant)).toContain(inFunction);
  });
});

import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';

/** Wrong programs: the body of a server whose state is a union, and what the compiler has to say about it. */
const MISTAKES: readonly (readonly [what: string, members: string, expected: string, mostLines: number])[] = [
  [
    'a call handler that never replies',
    `@HandleCall() get() { return stop('normal'); }`,
    'a call handler must be able to reply',
    3,
  ],
  [
    'a call handler that returns the result of a cast',
    `@HandleCall() get() { return noReply(); }`,
    'a call handler returns reply(value, state?), replyError(error), from.later() or stop(reason).reply(value)',
    3,
  ],
  [
    'a call handler that returns a bare value',
    `@HandleCall() get() { return 5; }`,
    'a call handler returns reply(value, state?)',
    3,
  ],
  ['a call handler that returns nothing', `@HandleCall() get() {}`, 'a call handler returns reply(value, state?)', 3],
  [
    'a promise in a reply',
    `@HandleCall() get() { return reply(fetch('/')); }`,
    'a promise is no reply: await it first',
    3,
  ],
  [
    'a promise in one of the ways out',
    `@HandleCall() get(yes: boolean) { return yes ? reply(Promise.resolve(1)) : reply(1); }`,
    'a promise is no reply: await it first',
    3,
  ],
  [
    'a cast handler that replies',
    `@HandleCast() put() { return reply(1); }`,
    'it has nobody to answer: return noReply(state?) or stop(reason, state?)',
    3,
  ],
  ['an info handler that replies', `@HandleInfo('tick') tick() { return reply(1); }`, 'it has nobody to answer', 3],
  ['a continue that replies', `@HandleContinue('load') load() { return reply(1); }`, 'it has nobody to answer', 3],
  [
    'a parameter that its schema does not give',
    `@HandleCall({ schema: null! as StandardSchema<number> }) get(text: string) { return reply(text); }`,
    'the parameters of the handler do not take what its schema gives',
    3,
  ],
  [
    'a reserved name',
    `@HandleCall() then() { return reply(1); }`,
    'a handler cannot have this name: it is reserved',
    2,
  ],
  [
    'a misspelt state',
    `@HandleCast() put() { return noReply({ status: 'raedy', count: 1 }); }`,
    `Type '"raedy"' is not assignable to type '"ready"'`,
    13,
  ],
  [
    'an incomplete state',
    `@HandleCall() put() { return reply(1, { status: 'ready' }); }`,
    `Property 'count' is missing`,
    11,
  ],
  [
    'the wrong message of an info handler',
    `@HandleInfo(Down) down(message: RegExp) { return noReply(); }`,
    `Type 'Down' is missing the following properties from type 'RegExp'`,
    7,
  ],
  [
    'two modifiers',
    `@HandleCast() put() { return noReply().timeout(5).hibernate(); }`,
    `Property 'hibernate' does not exist on type 'NoReply<never>'`,
    1,
  ],
  ['an assignment to the state', `@HandleCast() put() { this.state = 1; return noReply(); }`, 'read-only', 1],
  ['an init whose state does not fit', `override init() { return ok({ status: 'gone' }); }`, `"gone"`, 12],
  ['a misspelt option', `@HandleCall({ timeout: 5 }) get() { return reply(1); }`, `'timeout' does not exist`, 1],
];

const program = (members: string) => `
import { Down, GenServer, GenServerBase, HandleCall, HandleCast, HandleContinue, HandleInfo, noReply, ok, reply, type StandardSchema, stop } from 'nestjs-genserver';
type State = { status: 'initializing' } | { status: 'ready'; count: number };
@GenServer()
export class Server extends GenServerBase<State> {
  ${members}
}`;
const pathOf = (what: string) => `test/types/${what.replaceAll(' ', '-')}.ts`;

describe('the compiler, told of', () => {
  // What a Nest application's own tsconfig has, as `nest new` writes it.
  const compiled = compile(new Map(MISTAKES.map(([what, members]) => [pathOf(what), program(members)])), {
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
  });

  it.each(MISTAKES)('%s, says one thing, in few lines', (what, _members, expected, mostLines) => {
    const { errors } = compiled.get(pathOf(what))!;
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(expected);
    // The first line of a decorator's error only says that there is one.
    expect(
      errors[0]!.replace(/^line \d+: Unable to resolve signature of method decorator.*\n/, '').split('\n').length,
    ).toBeLessThanOrEqual(mostLines);
  });

  it('a program without mistakes, says nothing', () => {
    const members = `@HandleCall() get() { return reply(this.state.status); }`;
    const { errors } = compile(new Map([[pathOf('right'), program(members)]])).get(pathOf('right'))!;
    expect(errors).toEqual([]);
  });
});

describe('a decorated signature', () => {
  const signature = (name: string, type: string) => `
import { Injectable, Inject } from '@nestjs/common';
import { ${name} } from 'nestjs-genserver';
@Injectable()
export class Service {
  constructor(@Inject('x') readonly x: ${type}) {}
}`;
  const compiled = compile(
    new Map(
      [
        ['GenServerClient', 'GenServerClient<{ get(): number }>'],
        ['CallResult', 'CallResult<number, string>'],
        ['CastResult', 'CastResult<string>'],
        ['InitResult', 'InitResult<string>'],
        ['From', 'From<number>'],
        ['ExitReason', 'ExitReason'],
        ['CallOptions', 'CallOptions'],
      ].map(([name, type]) => [pathOf(`signature ${name}`), signature(name!, type!)]),
    ),
  );
  const errorsOf = (name: string) => compiled.get(pathOf(`signature ${name}`))!.errors;

  it.each(['GenServerClient', 'CallResult', 'CastResult', 'InitResult', 'From', 'ExitReason'])(
    'may name %s, imported like a class (TS1272)',
    (name) => expect(errorsOf(name)).toEqual([]),
  );

  it('may not name a mere type, which shows that the compiler looks', () => {
    expect(errorsOf('CallOptions')).toEqual([expect.stringContaining("must be imported with 'import type'")]);
  });
});

import { type EventEmitter, once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import {
  type DynamicSupervisorClient,
  GenServerRuntime,
  getDynamicSupervisorToken,
  type ProcessTree,
} from 'nestjs-genserver';
import { describe, expect, it } from 'vitest';
import { AppModule, type ChatAppOptions } from '../../sample/04-chat-session/src/app.module.js';
import { Conversation } from '../../sample/04-chat-session/src/chat/conversation.server.js';
import { Transcripts } from '../../sample/04-chat-session/src/chat/transcripts.js';
import { FakeModel } from '../../sample/04-chat-session/src/model/fake.model.js';
import { Pacing } from '../../sample/04-chat-session/src/model/pacing.js';
import { deferred } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { bootTimed } from './support/boot.js';
import type { Http } from './support/http.js';
import { type SseEvent, type SseReader, sse } from './support/sse.js';
import { PacedByHand } from './support/stand-ins.js';

const MINUTE = 60_000;
const TOKEN = 200;

/** Eight tokens: `You`, ` asked:`, ` one`, ` two`, … */
const QUESTION = 'one two three four five six';
const ANSWER = `You asked: ${QUESTION}`;
const TOKENS = ANSWER.split(/(?=\s)/);

/** The application, with a clock that stands still: the model says nothing unless it is turned. */
async function chats(options: ChatAppOptions = {}) {
  const clock = new ManualClock();
  const { app, http } = await bootTimed(clock, AppModule.with({ clock, ...options }), {
    provider: Pacing,
    value: new PacedByHand(clock),
  });
  const url = await app.getUrl();
  const follow = (chat: string, turn: number, headers: Record<string, string> = {}) =>
    sse(url, `/chats/${chat}/turns/${turn}/tokens`, headers);
  const ask = (chat: string, question = QUESTION) => http('POST', `/chats/${chat}/turns`, { question });
  const abort = (chat: string, turn: number) => http('DELETE', `/chats/${chat}/turns/${turn}`);
  return { app, http, clock, follow, ask, abort };
}

interface ShownTurn {
  readonly turn: number;
  readonly question: string;
  readonly status: string;
  readonly answer: string;
}

async function history(http: Http, chat = 'ada'): Promise<readonly ShownTurn[]> {
  return (await http('GET', `/chats/${chat}`)).json as readonly ShownTurn[];
}

async function statuses(http: Http, chat = 'ada'): Promise<readonly string[]> {
  return (await history(http, chat)).map(({ status }) => status);
}

interface Overview {
  readonly counts: { readonly active: number };
  readonly tree: ProcessTree;
}

async function overview(http: Http): Promise<Overview> {
  return (await http('GET', '/chats')).json as Overview;
}

/** The lives of the conversations, in the order in which they were started. */
async function incarnations(http: Http): Promise<readonly (number | null)[]> {
  const { tree } = await overview(http);
  return tree.children[0]!.children[0]!.children.map(({ incarnation }) => incarnation);
}

/** The events of tokens, numbered from `from` + 1. */
function events(tokens: readonly string[], from = 0): readonly SseEvent[] {
  return tokens.map((data, at) => ({ id: String(from + at + 1), type: 'message', data }));
}

function end(status: string, tokens = TOKENS.length): SseEvent {
  return { id: String(tokens), type: 'end', data: status };
}

const LOST = { type: 'lost', data: 'the conversation has ended', retry: '1000' };

/** Reads so many events. */
async function take(reader: SseReader, count: number): Promise<readonly (SseEvent | undefined)[]> {
  const taken: (SseEvent | undefined)[] = [];
  while (taken.length < count) taken.push(await reader.next());
  return taken;
}

interface TapedTurns {
  readonly turns: readonly { readonly tape: { readonly changes: EventEmitter } }[];
}

/** How many readers the tape of the first turn has, of the only conversation. */
async function readersOf(app: INestApplication): Promise<number> {
  const chats = app.get<DynamicSupervisorClient<Conversation>>(getDynamicSupervisorToken(Conversation));
  const { sys } = app.get(GenServerRuntime);
  const { turns } = await sys.getState<TapedTurns>(chats.whichChildren()[0]!.pid);
  return turns[0]!.tape.changes.listenerCount('change');
}

/** The first so many that settle. */
function first<T>(count: number, promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled: T[] = [];
  return new Promise((resolve, reject) => {
    for (const promise of promises) {
      promise.then((value) => {
        if (settled.push(value) === count) resolve([...settled]);
      }, reject);
    }
  });
}

/** Replaces the model's answer, as the provider that the conversations have been given. */
function letModel(app: INestApplication, answer: FakeModel['answer']): void {
  app.get(FakeModel).answer = answer;
}

describe('a turn', () => {
  it('is accepted at once, before the model has said anything', async () => {
    const { ask, http } = await chats();
    expect(await ask('ada')).toMatchObject({ status: 202, json: { turn: 1, ahead: 0 } });
    expect(await history(http)).toEqual([{ turn: 1, question: QUESTION, status: 'answering', answer: '' }]);
  });

  it('is streamed token by token, as the model says them', async () => {
    const { ask, follow, clock } = await chats();
    await ask('ada');
    const reader = await follow('ada', 1);
    expect(reader).toMatchObject({ status: 200, type: 'text/event-stream' });
    for (const event of events(TOKENS)) {
      let heard: SseEvent | undefined;
      const next = reader.next().then((each) => (heard = each));
      await clock.advance(TOKEN - 1);
      expect(heard).toBeUndefined();
      await clock.advance(1);
      expect(await next).toEqual(event);
    }
    expect(await reader.rest()).toEqual([end('answered')]);
  });

  it('is in the history when its end was told', async () => {
    const { ask, follow, clock, http } = await chats();
    await ask('ada');
    const reader = await follow('ada', 1);
    await clock.advance(TOKEN * TOKENS.length);
    await reader.rest();
    expect(await history(http)).toEqual([{ turn: 1, question: QUESTION, status: 'answered', answer: ANSWER }]);
  });

  it('shows in the history how far it is', async () => {
    const { ask, clock, http } = await chats();
    await ask('ada');
    await clock.advance(TOKEN * 2);
    expect(await history(http)).toMatchObject([{ status: 'answering', answer: 'You asked:' }]);
  });

  it('misses nothing for who comes late, in the middle or after the end', async () => {
    const { ask, follow, clock } = await chats();
    await ask('ada');
    await clock.advance(TOKEN * 3);
    const middle = await follow('ada', 1);
    expect(await take(middle, 3)).toEqual(events(TOKENS).slice(0, 3));
    await clock.advance(TOKEN * TOKENS.length);
    const late = await follow('ada', 1);
    expect(await middle.rest()).toEqual([...events(TOKENS).slice(3), end('answered')]);
    expect(await late.rest()).toEqual([...events(TOKENS), end('answered')]);
  });

  it('goes on for who comes again with the id of the last token they have', async () => {
    const { ask, follow, clock } = await chats();
    await ask('ada');
    await clock.advance(TOKEN * 3);
    const again = await follow('ada', 1, { 'last-event-id': '2' });
    expect(await again.next()).toEqual(events(TOKENS)[2]);
    await clock.advance(TOKEN * TOKENS.length);
    expect(await again.rest()).toEqual([...events(TOKENS).slice(3), end('answered')]);
    expect(await (await follow('ada', 1, { 'last-event-id': '8' })).rest()).toEqual([end('answered')]);
  });

  it('has as many readers as like to', async () => {
    const { ask, follow, clock } = await chats();
    await ask('ada');
    const readers = await Promise.all(Array.from({ length: 20 }, () => follow('ada', 1)));
    await clock.advance(TOKEN * TOKENS.length);
    for (const reader of readers) expect(await reader.rest()).toEqual([...events(TOKENS), end('answered')]);
  });

  it('fails with the model, which costs no conversation: what came so far stays, and the next turn works', async () => {
    const { app, ask, follow, clock, http } = await chats();
    const { answer } = FakeModel.prototype;
    letModel(app, async function* () {
      yield 'Well';
      throw new Error('no model today');
    });
    await ask('ada');
    expect(await (await follow('ada', 1)).rest()).toEqual([...events(['Well']), end('failed', 1)]);
    expect(await history(http)).toMatchObject([{ status: 'failed', answer: 'Well' }]);

    letModel(app, answer);
    await ask('ada');
    await clock.advance(TOKEN * 20);
    expect(await statuses(http)).toEqual(['failed', 'answered']);
    expect(await incarnations(http)).toEqual([0]);
  });
});

describe('what makes no sense', () => {
  it.each([[{}], [{ question: '' }], [{ question: '  ' }], [{ question: 5 }], [{ question: 'x'.repeat(2_001) }], [[]]])(
    'is refused: %j, and no process is started for it',
    async (body) => {
      const { http } = await chats();
      expect((await http('POST', '/chats/ada/turns', body)).status).toBe(400);
      expect((await overview(http)).counts.active).toBe(0);
    },
  );

  it.each(['a%20b', 'x'.repeat(65), '%D0%BA', 'a.b', '%2e%2e%2f'])('is refused: a chat named %s', async (chat) => {
    const { http, ask, follow, abort } = await chats();
    expect((await ask(chat)).status).toBe(400);
    expect((await http('GET', `/chats/${chat}`)).status).toBe(400);
    expect((await abort(chat, 1)).status).toBe(400);
    expect((await follow(chat, 1)).status).toBe(400);
    expect((await overview(http)).counts.active).toBe(0);
  });

  it.each(['0', '-1', '2', '99'])('is not found: turn %s of one', async (turn) => {
    const { http, ask, follow } = await chats();
    await ask('ada');
    expect((await http('DELETE', `/chats/ada/turns/${turn}`)).status).toBe(404);
    // A status, not a stream that ends at once: a browser that is refused does not come again.
    expect(await follow('ada', Number(turn))).toMatchObject({ status: 404, type: expect.stringContaining('json') });
  });

  it.each(['one', '1.5', ''])('is refused: a turn numbered %j', async (turn) => {
    const { http } = await chats();
    expect((await http('GET', `/chats/ada/turns/${turn}/tokens`)).status).toBe(turn === '' ? 404 : 400);
  });

  it.each(['-1', 'one', '1.5', '1'.repeat(10)])('is refused: Last-Event-ID %s', async (id) => {
    const { ask, follow } = await chats();
    await ask('ada');
    expect((await follow('ada', 1, { 'last-event-id': id })).status).toBe(400);
  });
});

describe('turns of a conversation', () => {
  it('are answered one after the other, in the order in which they were asked', async () => {
    const { ask, follow, clock, http } = await chats();
    expect((await ask('ada', 'one')).json).toEqual({ turn: 1, ahead: 0 });
    expect((await ask('ada', 'two')).json).toEqual({ turn: 2, ahead: 1 });
    expect((await ask('ada', 'three')).json).toEqual({ turn: 3, ahead: 2 });
    const third = await follow('ada', 3); // long before its time
    expect(await statuses(http)).toEqual(['answering', 'waiting', 'waiting']);
    await clock.advance(TOKEN * 3);
    expect(await statuses(http)).toEqual(['answered', 'answering', 'waiting']);
    await clock.advance(TOKEN * 6);
    expect(await statuses(http)).toEqual(['answered', 'answered', 'answering']);
    await clock.advance(TOKEN * 6);
    expect((await third.rest()).map(({ data }) => data).join('')).toBe('You asked: three Before that: twoanswered');
    expect(await statuses(http)).toEqual(['answered', 'answered', 'answered']);
  });

  it('never make two runs of the model, however they come', async () => {
    const { app, ask, clock, http, abort } = await chats();
    let running = 0;
    let most = 0;
    letModel(app, async function* (_questions, signal) {
      most = Math.max(most, ++running);
      try {
        await app.get(Pacing).pause(TOKEN, signal);
        yield 'yes';
      } finally {
        running--;
      }
    });
    for (let round = 0; round < 10; round++) {
      await Promise.all([ask('ada'), ask('ada'), ask('ada'), abort('ada', round + 1)]);
      await clock.advance(TOKEN);
    }
    await clock.advance(TOKEN * 100);
    expect([running, most]).toEqual([0, 1]);
    expect(new Set(await statuses(http))).toEqual(new Set(['answered', 'aborted']));
  });

  it('are given to the model with all that was asked before', async () => {
    const { app, ask, clock } = await chats();
    const seen: (readonly string[])[] = [];
    letModel(app, async function* (questions) {
      seen.push(questions);
      yield 'yes';
    });
    for (const question of ['one', 'two', 'three']) await ask('ada', question);
    await clock.advance(0);
    expect(seen).toEqual([['one'], ['one', 'two'], ['one', 'two', 'three']]);
  });

  it('queue up to three; the next is refused at once with 429, and there is room when one has ended', async () => {
    const { ask, clock, http } = await chats();
    for (let turn = 1; turn <= 4; turn++) expect((await ask('ada')).status).toBe(202);
    expect(await ask('ada')).toMatchObject({
      status: 429,
      json: {
        statusCode: 429,
        error: 'Too Many Requests',
        message: '3 turns are waiting already. Wait for one of them, or abort it.',
      },
    });
    expect(await statuses(http)).toEqual(['answering', 'waiting', 'waiting', 'waiting']);
    await clock.advance(TOKEN * TOKENS.length);
    expect((await ask('ada')).json).toEqual({ turn: 5, ahead: 3 });
  });

  it('keep to the limit when all are asked at once, and other conversations do not count', async () => {
    const { ask } = await chats();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => ask(at % 2 === 0 ? 'ada' : 'grace')));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(8);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(32);
  });
});

describe('while it streams, a conversation', () => {
  it('answers everything else without waiting for a token', async () => {
    const { ask, follow, http, clock } = await chats();
    await ask('ada');
    const reader = await follow('ada', 1);
    await clock.advance(TOKEN);
    await reader.next();
    // The clock stands still, so does the model.
    expect(await history(http)).toHaveLength(1);
    expect((await ask('ada')).status).toBe(202);
    expect(await statuses(http)).toEqual(['answering', 'waiting']);
  });

  it('is aborted in the middle: the reader is told, the model hears of it, and the next turn works', async () => {
    const { app, ask, follow, abort, clock, http } = await chats();
    const signals: AbortSignal[] = [];
    const { answer } = FakeModel.prototype;
    letModel(app, function (this: FakeModel, questions, signal) {
      signals.push(signal);
      return answer.call(this, questions, signal);
    });
    await ask('ada');
    await ask('ada', 'next');
    const reader = await follow('ada', 1);
    await clock.advance(TOKEN * 3);
    expect(await abort('ada', 1)).toMatchObject({
      status: 200,
      json: { turn: 1, question: QUESTION, status: 'aborted', answer: 'You asked: one' },
    });
    expect(await reader.rest()).toEqual([...events(TOKENS.slice(0, 3)), end('aborted', 3)]);
    await clock.advance(0);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);

    expect(await statuses(http)).toEqual(['aborted', 'answering']);
    await clock.advance(MINUTE);
    expect(await history(http)).toMatchObject([
      { status: 'aborted', answer: 'You asked: one' },
      { status: 'answered', answer: `You asked: next Before that: ${QUESTION}` },
    ]);
    expect(await incarnations(http)).toEqual([0]);
  });

  it('hears nothing any more of a model that does not listen', async () => {
    const { app, ask, abort, http } = await chats();
    const gate = deferred();
    letModel(app, async function* () {
      yield 'yes';
      await gate.promise;
      yield 'and more';
    });
    await ask('ada');
    await settle();
    await abort('ada', 1);
    gate.resolve();
    await settle();
    expect(await history(http)).toMatchObject([{ status: 'aborted', answer: 'yes' }]);
  });

  it('gives up a turn that waits, which is never begun, and makes room for another', async () => {
    const { ask, follow, abort, clock, http } = await chats();
    for (let turn = 1; turn <= 4; turn++) await ask('ada');
    const reader = await follow('ada', 3);
    expect((await abort('ada', 3)).json).toMatchObject({ status: 'aborted', answer: '' });
    expect(await reader.rest()).toEqual([end('aborted', 0)]);
    expect((await ask('ada')).status).toBe(202);
    await clock.advance(MINUTE);
    expect(await statuses(http)).toEqual(['answered', 'answered', 'aborted', 'answered', 'answered']);
  });

  it('does not abort what is over: 409', async () => {
    const { ask, abort, clock } = await chats();
    await ask('ada');
    await clock.advance(MINUTE);
    expect(await abort('ada', 1)).toMatchObject({ status: 409, json: { message: 'Turn 1 is over: answered' } });
  });

  it.each([
    ['before', { status: 409, json: { message: 'Turn 1 is over: answered' } }],
    ['behind', { status: 200, json: { status: 'answered', answer: 'yes' } }],
  ])('says answered when it is: the answer came in %s the abort', async (place, expected) => {
    const { app, ask, abort, http } = await chats();
    const gate = deferred();
    letModel(app, async function* () {
      yield 'yes';
      await gate.promise;
    });
    await ask('ada');
    await settle();
    // The conversation is held up while the answer and the abort arrive.
    const transcripts = app.get(Transcripts);
    const { save } = transcripts;
    const saved = deferred();
    transcripts.save = async (...args) => {
      await saved.promise;
      return save.apply(transcripts, args);
    };
    const asked = ask('ada');
    await http('GET', '/chats');
    if (place === 'before') gate.resolve();
    await settle();
    const aborted = abort('ada', 1);
    await http('GET', '/chats');
    gate.resolve();
    await settle();
    saved.resolve();
    await asked;
    expect(await aborted).toMatchObject(expected);
    await settle();
    expect(await statuses(http)).toEqual(['answered', 'answered']);
    expect(await incarnations(http)).toEqual([0]);
  });
});

describe('a reader that goes away', () => {
  it('ends its own stream only: the turn goes on, others read on, and it may come again', async () => {
    const { app, ask, follow, clock, http } = await chats();
    const sockets: Socket[] = [];
    (app.getHttpServer() as Server).on('connection', (socket: Socket) => sockets.push(socket));
    await ask('ada');
    const leaver = await follow('ada', 1);
    const connection = sockets.at(-1)!;
    const stayer = await follow('ada', 1);
    await clock.advance(TOKEN * 2);
    await take(leaver, 2);
    expect(await readersOf(app)).toBe(2);

    const isGone = once(connection, 'close');
    await leaver.leave();
    await isGone;
    await settle();
    expect(await readersOf(app)).toBe(1); // and no need for a token to notice

    const again = await follow('ada', 1, { 'last-event-id': '2' });
    await clock.advance(MINUTE);
    expect(await stayer.rest()).toEqual([...events(TOKENS), end('answered')]);
    expect(await again.rest()).toEqual([...events(TOKENS).slice(2), end('answered')]);
    expect(await statuses(http)).toEqual(['answered']);
    expect(await readersOf(app)).toBe(0);
  });
});

describe('a crash', () => {
  it('in the middle of a turn is told to its readers, and what was answered before is still there', async () => {
    const { ask, follow, clock, http } = await chats();
    await ask('ada', 'first');
    await clock.advance(MINUTE);
    await ask('ada', 'second');
    const reader = await follow('ada', 2);
    await clock.advance(TOKEN * 2);
    expect((await http('POST', '/chats/ada/crash')).status).toBe(202);
    expect(await reader.rest()).toEqual([...events(TOKENS.slice(0, 2)), { id: '2', ...LOST }]);
    expect(await incarnations(http)).toEqual([1]);
    expect(await history(http)).toEqual([
      { turn: 1, question: 'first', status: 'answered', answer: 'You asked: first' },
      { turn: 2, question: 'second', status: 'interrupted', answer: '' },
    ]);
  });

  it('ends the run of the model, which hears of it by its signal', async () => {
    const { app, ask, http } = await chats();
    const heard: unknown[] = [];
    letModel(app, async function* (_questions, signal) {
      try {
        yield 'yes';
        await app.get(Pacing).pause(TOKEN, signal);
      } finally {
        heard.push(signal.aborted);
      }
    });
    await ask('ada');
    await settle();
    expect(heard).toEqual([]);
    await http('POST', '/chats/ada/crash');
    await settle();
    expect(heard).toEqual([true]);
  });

  it('is learnt of by who comes again, as a browser does', async () => {
    const { ask, follow, clock, http } = await chats();
    await ask('ada');
    const reader = await follow('ada', 1);
    await clock.advance(TOKEN * 3);
    await http('POST', '/chats/ada/crash');
    const lastId = (await reader.rest()).at(-1)!.id!;
    const again = await follow('ada', 1, { 'last-event-id': lastId });
    expect(await again.rest()).toEqual([end('interrupted', 3)]);
  });

  it('loses no turn that waits: the next process goes on with it', async () => {
    const { ask, follow, clock, http } = await chats();
    await ask('ada', 'first');
    await ask('ada', 'second');
    const waiting = await follow('ada', 2);
    await http('POST', '/chats/ada/crash');
    expect(await waiting.rest()).toEqual([{ id: '0', ...LOST }]);
    expect(await statuses(http)).toEqual(['interrupted', 'answering']);
    const again = await follow('ada', 2, { 'last-event-id': '0' });
    await clock.advance(MINUTE);
    expect((await again.rest()).at(-1)).toMatchObject({ data: 'answered' });
    expect(await statuses(http)).toEqual(['interrupted', 'answered']);
    await ask('ada', 'third');
    await clock.advance(MINUTE);
    expect(await statuses(http)).toEqual(['interrupted', 'answered', 'answered']);
  });

  it('of one conversation is nothing to the others', async () => {
    const { ask, follow, clock, http } = await chats();
    await ask('ada');
    await ask('grace');
    const reader = await follow('grace', 1);
    await http('POST', '/chats/ada/crash');
    await clock.advance(MINUTE);
    expect(await reader.rest()).toEqual([...events(TOKENS), end('answered')]);
    expect(await incarnations(http)).toEqual([1, 0]);
  });

  it('with the database: 500, the turn was not accepted, and the next process has what was saved', async () => {
    const { app, ask, http } = await chats();
    await ask('ada', 'first');
    const transcripts = app.get(Transcripts);
    const { save } = transcripts;
    transcripts.save = () => Promise.reject(new Error('no database today'));
    expect((await ask('ada', 'second')).status).toBe(500);
    transcripts.save = save;
    expect(await history(http)).toMatchObject([{ question: 'first', status: 'interrupted' }]);
    expect((await ask('ada', 'third')).json).toEqual({ turn: 2, ahead: 0 });
  });
});

describe('processes', () => {
  it('are not more than maxChats: 503, and those that are there answer', async () => {
    const { ask, http } = await chats({ maxChats: 1 });
    await ask('ada');
    expect(await ask('grace')).toMatchObject({
      status: 503,
      json: { message: 'Too many chats are open. Try again later.' },
    });
    expect(await statuses(http)).toEqual(['answering']);
  });

  it('refuse at once what their mailbox has no room for: 503, come again', async () => {
    const { app, ask, http } = await chats();
    await http('GET', '/chats/ada');
    const transcripts = app.get(Transcripts);
    const saved = deferred();
    transcripts.save = () => saved.promise;
    const asked = ask('ada');
    await http('GET', '/chats'); // while it saves, nothing else is taken
    const calls = Array.from({ length: 60 }, () => http('GET', '/chats/ada'));
    const refused = await first(10, calls);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, json: { error: 'OVERLOADED' } });
    }
    saved.resolve();
    await asked;
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 503)).toHaveLength(10);
  });

  it('end after 15 minutes without a request, and the next one has the conversation', async () => {
    const { ask, clock, http, follow } = await chats();
    await ask('ada');
    await clock.advance(TOKEN * TOKENS.length);
    const before = await history(http);
    await clock.advance(15 * MINUTE - 1);
    expect((await overview(http)).counts.active).toBe(1);
    await clock.advance(1);
    expect((await overview(http)).counts.active).toBe(0);
    expect(await history(http)).toEqual(before);
    expect(await (await follow('ada', 1)).rest()).toEqual([...events(TOKENS), end('answered')]);
  });

  it('do not end in the middle of a turn, however long the model takes', async () => {
    const { ask, clock, http, follow } = await chats({ chatIdleMinutes: TOKEN / MINUTE });
    await ask('ada');
    const reader = await follow('ada', 1);
    await clock.advance(TOKEN * TOKENS.length);
    expect(await reader.rest()).toEqual([...events(TOKENS), end('answered')]);
    await clock.advance(TOKEN);
    expect((await overview(http)).counts.active).toBe(0);
    expect(await statuses(http)).toEqual(['answered']);
  });
});

describe('app.close()', () => {
  it('in the middle of a hundred streams needs no time, tells the readers, and leaves nothing', async () => {
    const { app, ask, follow, clock } = await chats();
    const names = Array.from({ length: 100 }, (_, at) => `chat-${at}`);
    await Promise.all(names.map((name) => ask(name)));
    const readers = await Promise.all(names.map((name) => follow(name, 1)));
    await clock.advance(TOKEN);
    await Promise.all(readers.map((reader) => reader.next()));
    const runtime = app.get(GenServerRuntime);
    const server = app.getHttpServer() as Server;

    const rests = Promise.all(readers.map((reader) => reader.rest()));
    await app.close(); // the clock stands still
    for (const rest of await rests) expect(rest).toEqual([{ id: '1', ...LOST }]);
    expect(runtime.status).toBe('stopped');
    expect(server.listening).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('500 conversations at once', () => {
  it('are answered, each with its own words, by one process each; and leave nothing', { timeout: 60_000 }, async () => {
    const { ask, follow, clock, http } = await chats();
    const names = Array.from({ length: 500 }, (_, at) => `chat-${at}`);
    const asked = await Promise.all(names.map((name) => ask(name, `about ${name}`)));
    expect(asked.filter(({ status }) => status !== 202)).toEqual([]);
    const readers = await Promise.all(names.map((name) => follow(name, 1)));
    expect((await overview(http)).counts.active).toBe(500);

    for (let token = 1; token <= 4; token++) {
      await settle();
      clock.jump(TOKEN); // all of them in one go
    }
    const told = await Promise.all(readers.map((reader) => reader.rest()));
    expect(told).toEqual(
      names.map((name) => [...events(['You', ' asked:', ' about', ` ${name}`]), end('answered', 4)]),
    );

    clock.jump(15 * MINUTE);
    await settle();
    expect((await overview(http)).counts.active).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

import { Readable } from 'node:stream';
import {
  Agent,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerRuntime,
  HandleCall,
  HandleInfo,
  noReply,
  ok,
  reply,
  ReplyStream,
  replyStream,
  Task,
  type TaskOutcome,
  TaskResult,
  type TaskStreamOutcome,
  TaskSupervisor,
  toObservable,
} from 'nestjs-genserver';
import { type Observable, of } from 'rxjs';
import { expectType } from './expect-type.js';

// --- streaming replies ---------------------------------------------------------------------------------------------------

@GenServer()
export class Chat extends GenServerBase<readonly string[]> {
  override init() {
    return ok([]);
  }
  @HandleCall() tokens(prompt: string) {
    return replyStream(this.generate(prompt));
  }
  @HandleCall() async later() {
    return replyStream([1, 2, 3], [...this.state, 'asked']);
  }
  @HandleCall() observed() {
    return replyStream(of({ a: 1 }));
  }
  @HandleCall() signalled() {
    return replyStream((signal) => this.generate(String(signal.aborted)));
  }
  @HandleCall() modified() {
    return replyStream(new Set(['a'])).timeout(5);
  }
  @HandleCall() either(wantsAll: boolean) {
    return wantsAll ? replyStream(['a']) : reply('one');
  }
  @HandleCall() chunks() {
    return replyStream<Buffer>(Readable.from([]));
  }
  // @ts-expect-error the state is text
  @HandleCall() wrongState() {
    return replyStream([1], [1]);
  }
  // @ts-expect-error an info handler has nobody to answer
  @HandleInfo('stream') protected onStream() {
    return replyStream([1]);
  }
  private async *generate(prompt: string): AsyncGenerator<string> {
    yield prompt;
  }
}

declare const chat: GenServerClient<Chat>;
expectType<typeof chat.tokens, (prompt: string) => Promise<ReplyStream<string>>>(true);
expectType<typeof chat.later, () => Promise<ReplyStream<number>>>(true);
expectType<typeof chat.observed, () => Promise<ReplyStream<{ a: number }>>>(true);
expectType<typeof chat.signalled, () => Promise<ReplyStream<string>>>(true);
expectType<typeof chat.modified, () => Promise<ReplyStream<string>>>(true);
expectType<typeof chat.either, (wantsAll: boolean) => Promise<ReplyStream<string> | string>>(true);
expectType<typeof chat.chunks, () => Promise<ReplyStream<Buffer>>>(true);

export async function read() {
  for await (const _token of await chat.tokens('hi')) expectType<typeof _token, string>(true);
  const _observable = toObservable(chat.tokens('hi'));
  expectType<typeof _observable, Observable<string>>(true);
  toObservable(await chat.later());
  // @ts-expect-error nothing can be read from a number
  replyStream(5);
  // @ts-expect-error a promise of a stream is none: await it first
  replyStream(Promise.resolve([1]));
}

// --- tasks ---------------------------------------------------------------------------------------------------------------

@GenServer()
export class Appraiser extends GenServerBase<number> {
  @HandleCall() appraise() {
    const from = this.from<number>();
    void this.self.task(() => Promise.resolve(this.state)).then(from.reply, from.replyError);
    return from.later();
  }
  @HandleCall() async all() {
    const values = await Task.awaitMany([this.self.task(() => 1), Task.async(this.self, async () => 'a')] as const);
    expectType<typeof values, [number, string]>(true);
    const task = this.self.task((signal) => fetch('http://localhost', { signal }).then(({ status }) => status));
    expectType<typeof task, Task<number>>(true);
    expectType<Awaited<typeof task>, number>(true);
    expectType<Awaited<ReturnType<typeof task.yield>>, TaskOutcome<number> | undefined>(true);
    expectType<ReturnType<typeof task.ignore>, TaskOutcome<number> | undefined>(true);
    // @ts-expect-error a shutdown takes milliseconds or 'brutal_kill'
    await task.shutdown('kill');
    const outcome = await task.yield();
    if (outcome?.status === 'ok') expectType<typeof outcome.value, number>(true);
    // @ts-expect-error what ended has a value or a reason, and which is said by its status
    void outcome?.value;
    // @ts-expect-error the caller was promised text
    void this.self.task(() => 1).then(this.from<string>().reply);
    return reply(values[0]);
  }
  @HandleCall() async stream() {
    for await (const _outcome of Task.asyncStream(
      this.self,
      ['a', 'b'],
      (item, signal) => item.length + Number(signal.aborted),
      {
        maxConcurrency: 2,
        onTimeout: 'kill_task',
      },
    )) {
      expectType<typeof _outcome, TaskStreamOutcome<string, number>>(true);
    }
    // @ts-expect-error a timeout is dealt with in one of two ways
    Task.asyncStream(this.self, [1], (item) => item, { onTimeout: 'ignore' });
    return reply(1);
  }
  @HandleInfo(TaskResult) protected onResult(result: TaskResult<number>) {
    return noReply(result.value);
  }
}

export class Reports {
  constructor(private readonly tasks: TaskSupervisor) {}

  async make(): Promise<number> {
    // @ts-expect-error code outside of any process has no self to give
    this.tasks.async(this, () => 1);
    return this.tasks.async(() => 1);
  }
}

// --- agents --------------------------------------------------------------------------------------------------------------

export async function agents(runtime: GenServerRuntime) {
  const agent = await runtime.startAgent(() => new Map<string, number>(), { name: 'scores' });
  expectType<typeof agent, Agent<Map<string, number>>>(true);
  const _size = agent.get((scores) => scores.size);
  expectType<typeof _size, Promise<number>>(true);
  const _score = agent.getAndUpdate((scores) => [scores.get('ada'), new Map(scores).set('ada', 1)]);
  expectType<typeof _score, Promise<number | undefined>>(true);
  await agent.update(async (scores) => scores);
  // @ts-expect-error an update gives the next state
  await agent.update((scores) => scores.size);
  // @ts-expect-error the answer and the next state, in that order
  await agent.getAndUpdate((scores) => [scores]);
  // @ts-expect-error functions cannot be copied
  await runtime.startAgent(() => 1, { isolation: 'clone' });
}

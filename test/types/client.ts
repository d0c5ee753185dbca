import {
  type CallResult,
  From,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  reply,
  replyError,
  stop,
} from 'nestjs-genserver';
import { expectType } from './expect-type.js';

@GenServer()
export class Room extends GenServerBase<readonly string[]> {
  readonly capacity = 10;

  override init(name: string, ...people: string[]) {
    return ok([name, ...people]);
  }
  @HandleCall() enter(name: string, greeting?: string) {
    return reply(`${greeting ?? 'hello'} ${name}`, [...this.state, name]);
  }
  @HandleCall() async enterAll(...names: string[]) {
    return names.length > this.capacity ? replyError(new Error('full')) : reply(names.length);
  }
  @HandleCall() withDefault(limit = 10) {
    return reply(limit);
  }
  @HandleCast() leave(name: string, quietly?: boolean) {
    return quietly === true ? noReply() : noReply(this.state.filter((other) => other !== name));
  }
  @HandleCast() async close(reason: unknown) {
    return stop(reason);
  }
  @HandleCall() protected guarded() {
    return reply(1);
  }
  @HandleInfo('idle') protected onIdle() {
    return noReply();
  }
  @HandleInfo('visible') onVisible() {
    return noReply();
  }
  helper() {
    return 5;
  }
  override terminate() {}
}

declare const room: GenServerClient<Room>;

// Calls promise the reply, casts give nothing; parameters stay as they are, optional and rest ones too.
expectType<typeof room.enter, (name: string, greeting?: string) => Promise<string>>(true);
expectType<typeof room.enterAll, (...names: string[]) => Promise<number>>(true);
expectType<typeof room.withDefault, (limit?: number) => Promise<number>>(true);
expectType<typeof room.leave, (name: string, quietly?: boolean) => void>(true);
expectType<typeof room.close, (reason: unknown) => void>(true);

export const calls = [
  room.enter('ada'),
  room.enter('ada', 'good evening'),
  room.enterAll(),
  room.enterAll('ada', 'grace'),
];
// @ts-expect-error a name is text
void room.enter(1);
// @ts-expect-error the name is missing
void room.enter();
// @ts-expect-error there is no third parameter
void room.enter('ada', 'hello', 'again');

// Whatever is neither call nor cast is `never`: the key is there, so that editors say so, but it cannot be used.
expectType<typeof room.helper, never>(true);
expectType<typeof room.capacity, never>(true);
// @ts-expect-error helpers stay in the process
void room.helper();
// @ts-expect-error so does the state
void room.state;
// @ts-expect-error a protected handler is not on the client
void room.guarded();
// @ts-expect-error nor is a protected info handler
void room.onIdle();
// @ts-expect-error the callbacks of the server are not there
void room.init('lobby');
// @ts-expect-error likewise
void room.terminate();
// @ts-expect-error a client is no promise
void room.then;
// @ts-expect-error clients are not assigned to
room.enter = () => Promise.resolve('');

// Options of one use.
expectType<ReturnType<typeof room.with>, GenServerClient<Room>>(true);
void room.with({ timeoutMs: 100 }).enter('ada');
void room.with({ timeoutMs: Infinity }).with({}).enter('ada');
// @ts-expect-error durations end in Ms
void room.with({ timeout: 100 });

// --- generic servers -----------------------------------------------------------------------------------------------------

export abstract class Repository<K, V> extends GenServerBase<ReadonlyMap<K, V>> {
  @HandleCall() find(key: K) {
    return reply(this.state.get(key));
  }
  @HandleCast() put(key: K, value: V) {
    return noReply(new Map(this.state).set(key, value));
  }
  @HandleCall() size() {
    return reply(this.state.size);
  }
  @HandleCast() forget(_key: K) {
    return noReply();
  }
}

@GenServer()
export class Users extends Repository<number, { name: string }> {
  @HandleCall() override size() {
    return reply(this.state.size + 1);
  }
}
declare const users: GenServerClient<Users>;
expectType<typeof users.find, (key: number) => Promise<{ name: string } | undefined>>(true);
expectType<typeof users.size, () => Promise<number>>(true);
expectType<typeof users.forget, (key: number) => void>(true);
// @ts-expect-error the keys are numbers
void users.find('1');

export class OpenRepository<V> {
  constructor(private readonly repository: GenServerClient<Repository<string, V>>) {}
  async has(key: string): Promise<boolean> {
    return (await this.repository.size()) > key.length;
  }
}

// --- servers that inject each other --------------------------------------------------------------------------------------

@GenServer()
export class Ping extends GenServerBase<number> {
  constructor(@InjectGenServer(() => Pong) private readonly pong: GenServerClient<Pong>) {
    super();
  }
  @HandleCall() async ping(n: number) {
    return reply(n === 0 ? 'done' : await this.pong.pong(n - 1));
  }
}

@GenServer()
export class Pong extends GenServerBase<number> {
  // A property instead of a parameter is fine as well.
  @InjectGenServer(Ping) private readonly ping!: GenServerClient<Ping>;

  @HandleCall() async pong(n: number): Promise<CallResult<string, number>> {
    return reply(await this.ping.ping(n));
  }
}
expectType<ReturnType<GenServerClient<Ping>['ping']>, Promise<string>>(true);

// --- without an injected client ------------------------------------------------------------------------------------------

export async function byHand(runtime: GenServerRuntime, from: From<number>) {
  expectType<ReturnType<typeof runtime.call>, Promise<unknown>>(true);
  const greeting = runtime.call<string>(Room, 'enter', ['ada'], { timeoutMs: 5 });
  expectType<typeof greeting, Promise<string>>(true);
  await greeting;
  const lobby = runtime.client<Room>('lobby');
  expectType<typeof lobby, GenServerClient<Room>>(true);
  const typed = runtime.client(Symbol.for('lobby'), Room);
  expectType<typeof typed, GenServerClient<Room>>(true);
  await typed.enter('ada');
  runtime.cast(lobby, 'leave', ['ada']);
  runtime.cast({ global: 'lobby' }, 'leave', ['ada']);
  const pid = await runtime.start(Room, { name: 'lobby', args: ['lobby'] });
  runtime.send(pid, 'idle');
  // @ts-expect-error a number is no destination
  runtime.send(5, 'idle');
  // @ts-expect-error a class is what is started, not a name
  await runtime.start('lobby');

  from.reply(1);
  // @ts-expect-error the caller was promised a number
  from.reply('one');
  from.replyError(new Error('no'));
  void Promise.resolve(2).then(from.reply, from.replyError);
}

import {
  type CallResult,
  GenServer,
  GenServerBase,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  reply,
} from 'nestjs-genserver';

// Not an object: a Map takes `__proto__` for a key like any other.
type Entries = ReadonlyMap<string, unknown>;

@GenServer()
export class Hashmap extends GenServerBase<Entries> {
  override init(initial: Record<string, unknown> = {}) {
    return ok(new Map(Object.entries(initial)));
  }

  @HandleCall()
  get(key: string, fallback: unknown = null) {
    return reply(this.state.has(key) ? this.state.get(key) : fallback);
  }

  @HandleCall()
  getAll() {
    // A copy: the state itself stays in here.
    return reply(Object.fromEntries(this.state));
  }

  @HandleCall()
  put(key: string, value: unknown) {
    return reply('ok' as const, new Map(this.state).set(key, value));
  }

  @HandleCall()
  update(key: string, value: unknown) {
    return reply('ok' as const, new Map(this.state).set(key, value));
  }

  @HandleCast()
  delete(key: string) {
    return noReply(new Map([...this.state].filter(([present]) => present !== key)));
  }

  /** Not an answer but an accident: the caller gets an error, this process ends, and its supervisor starts another. */
  @HandleCall()
  crash(): CallResult<never, Entries> {
    throw new Error('somebody asked for it');
  }
}

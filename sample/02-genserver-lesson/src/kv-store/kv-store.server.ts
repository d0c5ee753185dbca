import { GenServer, GenServerBase, HandleCall, HandleCast, noReply, ok, reply } from 'nestjs-genserver';

@GenServer()
export class KVStore extends GenServerBase<ReadonlyMap<string, unknown>> {
  override init(initial: Record<string, unknown> = {}) {
    return ok(new Map(Object.entries(initial)));
  }

  @HandleCall()
  put(key: string, value: unknown) {
    return reply('ok' as const, new Map(this.state).set(key, value));
  }

  @HandleCall()
  get(key: string) {
    return reply(this.state.get(key) ?? null);
  }

  @HandleCall()
  keys() {
    return reply([...this.state.keys()]);
  }

  @HandleCast()
  delete(key: string) {
    return noReply(new Map([...this.state].filter(([present]) => present !== key)));
  }
}

import { GenServer, GenServerBase, HandleCall, HandleCast, noReply, ok, reply } from 'nestjs-genserver';

/** The callbacks, which run in the process. What callers use is `GenServerClient<Cache>`, made from this class. */
@GenServer()
export class Cache extends GenServerBase<ReadonlyMap<string, unknown>> {
  override init() {
    return ok(new Map<string, unknown>());
  }

  @HandleCall()
  get(key: string) {
    return reply(this.state.get(key) ?? null);
  }

  @HandleCast()
  put(key: string, value: unknown) {
    return noReply(new Map(this.state).set(key, value));
  }
}

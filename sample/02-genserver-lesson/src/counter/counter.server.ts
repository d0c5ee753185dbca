import { GenServer, GenServerBase, HandleCall, HandleCast, noReply, ok, reply } from 'nestjs-genserver';

/** The smallest server: the state is a number. */
@GenServer()
export class Counter extends GenServerBase<number> {
  override init(initialCount = 0) {
    return ok(initialCount);
  }

  @HandleCast()
  increment(amount = 1) {
    return noReply(this.state + amount);
  }

  @HandleCall()
  getCount() {
    return reply(this.state);
  }
}

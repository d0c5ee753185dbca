import { GenServer, GenServerBase, HandleCall, HandleCast, noReply, ok, reply } from 'nestjs-genserver';

type Counts = Readonly<Record<string, number>>;

/** Counts what happened. Its state does not care when its neighbour crashes. */
@GenServer()
export class Telemetry extends GenServerBase<Counts> {
  override init() {
    return ok({});
  }

  @HandleCast()
  executed(event: string) {
    return noReply({ ...this.state, [event]: (this.state[event] ?? 0) + 1 });
  }

  @HandleCall()
  counts() {
    return reply({ ...this.state });
  }
}

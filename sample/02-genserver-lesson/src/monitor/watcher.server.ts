import { Logger } from '@nestjs/common';
import { Down, GenServer, GenServerBase, HandleCall, HandleInfo, noReply, ok, Pid, reply } from 'nestjs-genserver';

/** Those who are watched, and the names they went by. */
type Watched = ReadonlyMap<Pid, string>;

/** Keeps a list of living processes, and takes off it whoever dies. */
@GenServer()
export class Watcher extends GenServerBase<Watched> {
  private readonly logger = new Logger(Watcher.name);

  override init() {
    return ok(new Map<Pid, string>());
  }

  @HandleCall()
  watch(name: string, pid: Pid) {
    if (this.state.has(pid)) return reply('ok' as const);
    this.self.monitor(pid);
    return reply('ok' as const, new Map(this.state).set(pid, name));
  }

  @HandleCall()
  watched() {
    return reply([...this.state].map(([pid, name]) => ({ name, pid })));
  }

  /** Comes once per monitor. The worker will be back under its name, but as somebody else: nobody watches its new pid. */
  @HandleInfo(Down)
  protected onDown({ pid, reason }: Down) {
    this.logger.log(`${String(pid)} is down: ${String(reason)}`);
    return noReply(new Map([...this.state].filter(([present]) => present !== pid)));
  }
}

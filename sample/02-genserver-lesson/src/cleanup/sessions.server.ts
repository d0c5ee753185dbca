import { Inject } from '@nestjs/common';
import { GenServer, GenServerBase, HandleCall, HandleCast, HandleInfo, noReply, ok, reply } from 'nestjs-genserver';
import { CLEANUP_EVERY_MS } from './cleanup.constants.js';

/** Each session, and whether it was used since the last cleanup. */
type SessionMap = ReadonlyMap<string, boolean>;

/** Forgets what nobody uses: a session that sees two cleanups in a row without being used is dropped. */
@GenServer()
export class Sessions extends GenServerBase<SessionMap> {
  constructor(@Inject(CLEANUP_EVERY_MS) private readonly everyMs: number) {
    super();
  }

  override init() {
    this.scheduleCleanup();
    return ok(new Map<string, boolean>());
  }

  @HandleCast()
  use(id: string) {
    return noReply(new Map(this.state).set(id, true));
  }

  @HandleCall()
  list() {
    return reply([...this.state.keys()]);
  }

  @HandleInfo('cleanup')
  protected onCleanup() {
    // A timer rings once. Setting the next one here, not in an interval, keeps cleanups from piling up behind a slow one.
    this.scheduleCleanup();
    const used = [...this.state].filter(([, wasUsed]) => wasUsed);
    return noReply(new Map(used.map(([id]) => [id, false])));
  }

  private scheduleCleanup(): void {
    this.self.sendAfter(this.self.pid, 'cleanup', this.everyMs);
  }
}

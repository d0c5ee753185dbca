import { GenServer, GenServerBase, HandleCall, HandleInfo, noReply, ok, reply } from 'nestjs-genserver';
import { Dictionary } from './dictionary.service.js';
import type { SetupStatus } from './setup-status.js';

interface Loaded {
  readonly type: 'loaded';
  readonly words: readonly string[];
}

/** Sets itself up by messages to itself. The mailbox stays open, so callers learn that it is still initializing. */
@GenServer()
export class SetupByMessage extends GenServerBase<SetupStatus> {
  constructor(private readonly dictionary: Dictionary) {
    super();
  }

  override init() {
    this.self.send(this.self.pid, 'set up');
    return ok({ status: 'initializing' });
  }

  @HandleInfo('set up')
  protected onSetUp() {
    const { self } = this;
    // Not awaited: the work goes on outside, and what it brings comes back as a message. If it fails, so does the process,
    // and the next incarnation tries again.
    void this.dictionary.load(self.signal).then(
      (words) => self.send(self.pid, { type: 'loaded', words } satisfies Loaded),
      (error) => self.exit(self.pid, error),
    );
    return noReply();
  }

  @HandleInfo('loaded')
  protected onLoaded({ words }: Loaded) {
    return noReply({ status: 'ready', words });
  }

  @HandleCall()
  status() {
    return reply({ ...this.state });
  }
}

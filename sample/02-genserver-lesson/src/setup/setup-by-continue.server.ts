import { GenServer, GenServerBase, HandleCall, HandleContinue, noReply, ok, reply } from 'nestjs-genserver';
import { Dictionary } from './dictionary.service.js';
import type { SetupStatus } from './setup-status.js';

/**
 * Sets itself up in a continue, which runs before any message. Whoever started it does not wait, and whoever calls it does:
 * no caller ever sees it half done.
 */
@GenServer()
export class SetupByContinue extends GenServerBase<SetupStatus> {
  constructor(private readonly dictionary: Dictionary) {
    super();
  }

  override init() {
    return ok({ status: 'initializing' }).continue('set up');
  }

  @HandleContinue('set up')
  protected async onSetUp() {
    const words = await this.dictionary.load(this.self.signal);
    return noReply({ status: 'ready', words });
  }

  @HandleCall()
  status() {
    return reply({ ...this.state });
  }
}

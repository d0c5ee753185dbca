import { GenServer, GenServerBase, HandleCall, ok, reply } from 'nestjs-genserver';
import { Printer } from './printer.service.js';

/** Answers one call later, from outside, and handles other messages in the meantime. */
@GenServer()
export class Reports extends GenServerBase<number> {
  constructor(private readonly printer: Printer) {
    super();
  }

  override init() {
    return ok(0);
  }

  @HandleCall()
  slowOperation() {
    const from = this.from<string>();
    const report = this.state + 1;
    // Awaiting it here would close the mailbox for two seconds.
    void this.printer.print(report, this.self.signal).then(from.reply, from.replyError);
    return from.later(report);
  }

  @HandleCall()
  ordered() {
    return reply(this.state);
  }
}

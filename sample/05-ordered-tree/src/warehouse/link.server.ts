import { ConflictException } from '@nestjs/common';
import { GenServer, GenServerBase, HandleCall, ok, reply, replyError } from 'nestjs-genserver';
import { Warehouse } from './warehouse.service.js';

/** The first of the three: holds the session. Whoever crashes it gets another one. */
@GenServer()
export class Link extends GenServerBase<number> {
  constructor(private readonly warehouse: Warehouse) {
    super();
  }

  /** Everybody behind it in the list waits for this. */
  override async init() {
    return ok(await this.warehouse.connect(this.self.signal));
  }

  @HandleCall()
  session() {
    return reply(this.state);
  }

  @HandleCall()
  async fetch(session: number, item: string) {
    if (session !== this.state) return replyError(new ConflictException(`Session ${session} is over`));
    return reply(await this.warehouse.pack(item, this.self.signal));
  }
}

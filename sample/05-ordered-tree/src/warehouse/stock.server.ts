import { ConflictException } from '@nestjs/common';
import { GenServer, GenServerBase, GenServerClient, HandleCall, InjectGenServer, ok, reply } from 'nestjs-genserver';
import { Link } from './link.server.js';

interface StockState {
  readonly session: number;
  readonly left: number;
}

/** The second: asks for the session once, in its `init`, and is worth nothing when the link has got another. */
@GenServer()
export class Stock extends GenServerBase<StockState> {
  constructor(@InjectGenServer(Link) private readonly link: GenServerClient<Link>) {
    super();
  }

  override async init() {
    return ok({ session: await this.link.session(), left: 10 });
  }

  @HandleCall()
  async take(item: string) {
    const { session, left } = this.state;
    if (left === 0) throw new ConflictException('Sold out');
    return reply(await this.link.fetch(session, item), { session, left: left - 1 });
  }

  @HandleCall()
  left() {
    return reply(this.state.left);
  }
}

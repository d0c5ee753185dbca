import { GenServer, GenServerBase, GenServerClient, HandleCall, InjectGenServer, ok, reply } from 'nestjs-genserver';
import { Stock } from './stock.server.js';

/** The third: what it has sold is what the stock has given out. It may finish its queue when the application ends. */
@GenServer({ shutdownMs: 10_000 })
export class Orders extends GenServerBase<readonly string[]> {
  constructor(@InjectGenServer(Stock) private readonly stock: GenServerClient<Stock>) {
    super();
  }

  override init() {
    return ok([]);
  }

  /** One at a time, so the last in a queue waits for a while. */
  @HandleCall({ timeoutMs: 15_000 })
  async place(item: string) {
    const parcel = await this.stock.take(item);
    return reply(parcel, [...this.state, parcel]);
  }

  @HandleCall()
  sold() {
    return reply([...this.state]);
  }
}

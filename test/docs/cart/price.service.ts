import { Injectable } from '@nestjs/common';

/** Stands for whatever your server needs: a repository, an HTTP client. */
@Injectable()
export class PriceService {
  private readonly cents = new Map([
    ['tea', 450],
    ['mug', 1_200],
  ]);

  async centsFor(item: string): Promise<number | undefined> {
    return this.cents.get(item);
  }
}

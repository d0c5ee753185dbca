import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Takes the amount out of an `{ "amount": 5 }` body; 1 when there is none. */
@Injectable()
export class AmountPipe implements PipeTransform<unknown, number> {
  transform(body: unknown): number {
    const amount = (body as { amount?: unknown } | null | undefined)?.amount ?? 1;
    if (!Number.isSafeInteger(amount)) throw new BadRequestException('amount must be a whole number');
    return amount as number;
  }
}

import { BadRequestException } from '@nestjs/common';

/** How many tokens somebody has who comes again, by the header of that name. Browsers send it by themselves. */
export function tokensReceived(lastEventId: string | undefined): number {
  if (lastEventId === undefined || lastEventId === '') return 0;
  if (/^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  throw new BadRequestException('Last-Event-ID must be the id of an event of this stream');
}

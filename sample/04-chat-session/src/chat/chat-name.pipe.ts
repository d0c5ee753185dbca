import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Every name that is let through may become a process. */
@Injectable()
export class ChatNamePipe implements PipeTransform<string, string> {
  transform(name: string): string {
    if (/^[\w-]{1,64}$/.test(name)) return name;
    throw new BadRequestException('a chat is named by 1 to 64 letters, digits, - and _');
  }
}

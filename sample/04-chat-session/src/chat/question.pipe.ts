import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

const MOST_CHARACTERS = 2_000;

/** Checks a `{ "question": "What is a process?" }` body. */
@Injectable()
export class QuestionPipe implements PipeTransform<unknown, string> {
  transform(body: unknown): string {
    const { question } = (body ?? {}) as { question?: unknown };
    if (typeof question !== 'string' || question.trim() === '')
      throw new BadRequestException('question must be a text');
    if (question.length > MOST_CHARACTERS) {
      throw new BadRequestException(`question must not be longer than ${MOST_CHARACTERS} characters`);
    }
    return question;
  }
}

import { Injectable } from '@nestjs/common';
import { Pacing } from './pacing.js';

const MS_PER_TOKEN = 200;

/** Stands for a language model that is asked over the network. It knows nothing, but says so at the speed of one that does. */
@Injectable()
export class FakeModel {
  constructor(private readonly pacing: Pacing) {}

  /**
   * Answers the last question, token by token, until `signal` fires.
   *
   * @param questions  The whole conversation: a model remembers nothing by itself.
   */
  async *answer(questions: readonly string[], signal: AbortSignal): AsyncGenerator<string, void> {
    const [question, before] = [...questions].reverse();
    const answer = `You asked: ${question}${before === undefined ? '' : ` Before that: ${before}`}`;
    for (const token of answer.split(/(?=\s)/)) {
      await this.pacing.pause(MS_PER_TOKEN, signal);
      yield token;
    }
  }
}

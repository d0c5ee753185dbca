import { ConflictException, NotFoundException } from '@nestjs/common';
import { Down, GenServer, GenServerBase, HandleCall, HandleCast, HandleContinue, HandleInfo } from 'nestjs-genserver';
import { noReply, ok, reply, replyError, replyStream, type Task, TaskResult } from 'nestjs-genserver';
import { FakeModel } from '../model/fake.model.js';
import { Tape } from './tape.js';
import { TooManyTurnsException } from './too-many-turns.exception.js';
import { Transcripts } from './transcripts.js';
import type { Turn, TurnEvent, TurnRow, TurnStatus } from './turn.js';

/** How many turns may wait for the one that is being answered. */
const MOST_WAITING = 3;

interface ConversationState {
  readonly chat: string;
  /** In the order in which they were asked. At most one is being answered. */
  readonly turns: readonly Turn[];
  /** The model at work on that one. */
  readonly run: Task<void> | null;
}

/**
 * One conversation. Its turns are answered one after the other, and what the model says later never waits in the mailbox: the model runs
 * in a task, so that there is always somebody at home to ask, to look, to follow and to abort.
 *
 * What must not be forgotten is saved before it is answered for: a turn when it is accepted, when it begins and when it has ended.
 */
@GenServer({ start: 'on_demand', maxMailbox: { limit: 50, overflow: 'reject' } })
export class Conversation extends GenServerBase<ConversationState> {
  constructor(
    private readonly model: FakeModel,
    private readonly transcripts: Transcripts,
  ) {
    super();
  }

  /** After a crash as well: what was being answered then is interrupted, what waited goes on waiting, and is next. */
  override async init(chat: string) {
    const turns = (await this.transcripts.load(chat)).map(restored);
    return ok({ chat, turns, run: null }).continue('next');
  }

  /** Accepts a question, and says how many turns come before it; or refuses it at once. */
  @HandleCall()
  async ask(question: string) {
    const { turns } = this.state;
    const waiting = turns.filter(({ status }) => status === 'waiting').length;
    if (waiting >= MOST_WAITING) return replyError(new TooManyTurnsException(waiting));
    const ahead = turns.filter(({ status }) => status === 'waiting' || status === 'answering').length;
    const turn: Turn = { number: turns.length + 1, question, status: 'waiting', tape: new Tape() };
    return reply({ turn: turn.number, ahead }, await this.saved([...turns, turn])).continue('next');
  }

  /** The model is put to the turn that has waited longest, unless it is at work. */
  @HandleContinue('next')
  protected async answerNext() {
    const { turns, run } = this.state;
    const turn = turns.find(({ status }) => status === 'waiting');
    if (run !== null || turn === undefined) return noReply();
    const state = await this.saved(this.turnsWith(turn, 'answering'));
    const questions = turns.slice(0, turn.number).map(({ question }) => question);
    return noReply({ ...state, run: this.self.task((signal) => this.record(questions, turn.tape, signal)) });
  }

  @HandleInfo(TaskResult)
  protected async answered({ ref }: TaskResult) {
    return this.runEnded(ref, 'answered');
  }

  /** The task is not linked: a model that fails costs a turn, not the conversation. */
  @HandleInfo(Down)
  protected async failed({ ref }: Down) {
    return this.runEnded(ref, 'failed');
  }

  /** Ends a turn now, and gives it as it is then. The model hears of it by its signal; the next turn does not wait for that. */
  @HandleCall()
  async abort(number: number) {
    const { turns, run } = this.state;
    const turn = turns[number - 1];
    if (turn === undefined) return replyError(unknownTurn(number));
    let status: TurnStatus = 'aborted';
    if (turn.status === 'answering') {
      // It may have come to its end while this call was in the queue.
      const outcome = await run!.shutdown();
      if (outcome !== undefined) status = outcome.status === 'ok' ? 'answered' : 'failed';
    } else if (turn.status !== 'waiting') {
      return replyError(new ConflictException(`Turn ${number} is over: ${turn.status}`));
    }
    const state = await this.ended(turn, status);
    return reply(shown({ ...turn, status }), state).continue('next');
  }

  /** What is said in a turn, from the first token or from where somebody got to. It may be followed by many, before and after. */
  @HandleCall()
  follow(number: number, from: number) {
    const turn = this.state.turns[number - 1];
    if (turn === undefined) return replyError(unknownTurn(number));
    return replyStream<TurnEvent>((signal) => turn.tape.read(from, signal));
  }

  @HandleCall()
  history() {
    return reply(this.state.turns.map(shown));
  }

  @HandleCast()
  crash(): never {
    throw new Error('somebody asked for it');
  }

  /** The work of the task. */
  private async record(questions: readonly string[], tape: Tape, signal: AbortSignal): Promise<void> {
    for await (const token of this.model.answer(questions, signal)) {
      // For a model that does not listen.
      signal.throwIfAborted();
      tape.append(token);
    }
  }

  private async runEnded(ref: unknown, status: TurnStatus) {
    const { run, turns } = this.state;
    // The `Down` of a task that has brought its result, too.
    if (run?.ref !== ref) return noReply();
    const turn = turns.find((other) => other.status === 'answering')!;
    return noReply(await this.ended(turn, status)).continue('next');
  }

  /** The state with the end of a turn, which its readers are told once it is safe. */
  private async ended(turn: Turn, status: TurnStatus): Promise<ConversationState> {
    const { run } = this.state;
    const state = await this.saved(this.turnsWith(turn, status));
    turn.tape.finish(status);
    return { ...state, run: turn.status === 'answering' ? null : run };
  }

  private turnsWith(turn: Turn, status: TurnStatus): readonly Turn[] {
    return this.state.turns.map((other) => (other === turn ? { ...turn, status } : other));
  }

  /** The state with other turns, once they are safe. */
  private async saved(turns: readonly Turn[]): Promise<ConversationState> {
    const rows = turns.map(({ number, question, status, tape }) => ({ number, question, status, tokens: tape.tokens }));
    await this.transcripts.save(this.state.chat, rows);
    return { ...this.state, turns };
  }
}

function restored({ number, question, status, tokens }: TurnRow): Turn {
  if (status === 'waiting') return { number, question, status, tape: new Tape() };
  const end = status === 'answering' ? 'interrupted' : status;
  return { number, question, status: end, tape: new Tape(tokens, end) };
}

/** A turn as the world sees it. */
function shown({ number, question, status, tape }: Turn) {
  return { turn: number, question, status, answer: tape.tokens.join('') };
}

function unknownTurn(number: number): NotFoundException {
  return new NotFoundException(`There is no turn ${number} in this conversation`);
}

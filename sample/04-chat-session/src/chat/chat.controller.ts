import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  ParseIntPipe,
  Post,
  Sse,
  UseFilters,
} from '@nestjs/common';
import { DynamicSupervisorClient, GenServerClient, GenServerRuntime, InjectDynamicSupervisor } from 'nestjs-genserver';
import { ChatNamePipe } from './chat-name.pipe.js';
import { Conversation } from './conversation.server.js';
import { tokensReceived } from './last-event-id.js';
import { QuestionPipe } from './question.pipe.js';
import { TooManyChatsFilter } from './too-many-chats.filter.js';
import { turnEvents } from './turn-events.js';

@Controller('chats')
@UseFilters(TooManyChatsFilter)
export class ChatController {
  constructor(
    @InjectDynamicSupervisor(Conversation) private readonly chats: DynamicSupervisorClient<Conversation>,
    private readonly runtime: GenServerRuntime,
  ) {}

  @Get()
  overview() {
    return { counts: this.chats.countChildren(), tree: this.runtime.tree() };
  }

  @Get(':chat')
  async history(@Param('chat', ChatNamePipe) chat: string) {
    return (await this.conversation(chat)).history();
  }

  @Post(':chat/turns')
  @HttpCode(202)
  async ask(@Param('chat', ChatNamePipe) chat: string, @Body(QuestionPipe) question: string) {
    return (await this.conversation(chat)).ask(question);
  }

  /** Who goes away ends nothing but their own stream: the turn belongs to the conversation. */
  @Sse(':chat/turns/:turn/tokens')
  async follow(
    @Param('chat', ChatNamePipe) chat: string,
    @Param('turn', ParseIntPipe) turn: number,
    @Headers('last-event-id') lastEventId: string | undefined,
  ) {
    const from = tokensReceived(lastEventId);
    // Awaited here, while an error can still be an answer with a status.
    return turnEvents(await (await this.conversation(chat)).follow(turn, from), from);
  }

  @Delete(':chat/turns/:turn')
  async abort(@Param('chat', ChatNamePipe) chat: string, @Param('turn', ParseIntPipe) turn: number) {
    return (await this.conversation(chat)).abort(turn);
  }

  @Post(':chat/crash')
  @HttpCode(202)
  async crash(@Param('chat', ChatNamePipe) chat: string) {
    (await this.conversation(chat)).crash();
  }

  /** Found by its name, and started with the name for an argument when it is not there. */
  private conversation(chat: string): Promise<GenServerClient<Conversation>> {
    return this.chats.getOrStart(chat, chat);
  }
}

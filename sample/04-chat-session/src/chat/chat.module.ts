import { type DynamicModule, Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { FakeModel } from '../model/fake.model.js';
import { Pacing } from '../model/pacing.js';
import { ChatController } from './chat.controller.js';
import { Conversation } from './conversation.server.js';
import { Transcripts } from './transcripts.js';

export interface ChatOptions {
  readonly idleMinutes: number;
  readonly maxChats: number;
}

@Module({ providers: [Transcripts, FakeModel, Pacing], controllers: [ChatController] })
export class ChatModule {
  static with({ idleMinutes, maxChats }: ChatOptions): DynamicModule {
    return {
      module: ChatModule,
      providers: [
        provideGenServer(Conversation, {
          idleMs: idleMinutes * 60_000,
          // The budget counts the crashes of all conversations together: three, the default, is nothing for thousands.
          supervisor: { maxChildren: maxChats, maxRestarts: 1_000, withinMs: 5_000 },
        }),
      ],
    };
  }
}

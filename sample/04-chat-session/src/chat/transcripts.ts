import { Injectable } from '@nestjs/common';
import type { TurnRow } from './turn.js';

/** Stands for a table of the database, with a row per turn. It knows nothing of processes and outlives them all. */
@Injectable()
export class Transcripts {
  private readonly rows = new Map<string, readonly TurnRow[]>();

  async load(chat: string): Promise<readonly TurnRow[]> {
    return this.rows.get(chat) ?? [];
  }

  async save(chat: string, turns: readonly TurnRow[]): Promise<void> {
    this.rows.set(chat, turns);
  }
}

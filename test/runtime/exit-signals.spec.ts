import { describe, expect, it } from 'vitest';
import { effectOfSignal, type SignalCircumstances, type SignalEffect } from '../../lib/runtime/exits/exit-signals.js';

type Sender = 'parent' | 'stranger' | 'itself';
type Row = readonly [trapsExits: boolean, drains: boolean, sender: Sender, reason: unknown, effect: SignalEffect];

const boom = new Error('boom');

/** Every combination of what the target is, who sends, and what kind of reason it is. */
const table: readonly Row[] = [
  // trapping
  [true, true, 'parent', 'normal', 'terminate'],
  [true, true, 'parent', 'shutdown', 'terminate'],
  [true, true, 'parent', boom, 'terminate'],
  [true, false, 'parent', 'normal', 'terminate'],
  [true, false, 'parent', 'shutdown', 'terminate'],
  [true, false, 'parent', boom, 'terminate'],
  [true, true, 'stranger', 'normal', 'message'],
  [true, true, 'stranger', 'shutdown', 'message'],
  [true, true, 'stranger', boom, 'message'],
  [true, false, 'stranger', 'normal', 'message'],
  [true, false, 'stranger', 'shutdown', 'message'],
  [true, false, 'stranger', boom, 'message'],
  [true, true, 'itself', 'normal', 'message'],
  [true, true, 'itself', boom, 'message'],
  [true, false, 'itself', 'normal', 'message'],
  [true, false, 'itself', boom, 'message'],
  // draining, the default
  [false, true, 'parent', 'normal', 'ignore'],
  [false, true, 'parent', 'shutdown', 'terminate'],
  [false, true, 'parent', { shutdown: 1 }, 'terminate'],
  [false, true, 'parent', boom, 'die'],
  [false, true, 'parent', 'killed', 'die'],
  [false, true, 'stranger', 'normal', 'ignore'],
  [false, true, 'stranger', 'shutdown', 'die'],
  [false, true, 'stranger', boom, 'die'],
  [false, true, 'itself', 'normal', 'die'],
  [false, true, 'itself', boom, 'die'],
  // neither: OTP's plain process
  [false, false, 'parent', 'normal', 'ignore'],
  [false, false, 'parent', 'shutdown', 'die'],
  [false, false, 'parent', boom, 'die'],
  [false, false, 'stranger', 'normal', 'ignore'],
  [false, false, 'stranger', 'shutdown', 'die'],
  [false, false, 'stranger', boom, 'die'],
  [false, false, 'itself', 'normal', 'die'],
  [false, false, 'itself', boom, 'die'],
];

describe('effectOfSignal', () => {
  it.each(table)(
    'trapExit %s, drain %s, from %s, reason %s: %s (E3, E4, E5, E7)',
    (trapsExits, drains, from, reason, effect) => {
      expect(effectOfSignal(reason, circumstances(trapsExits, drains, from))).toBe(effect);
    },
  );

  it.each(['parent', 'stranger', 'itself'] as const)(
    'kills, whatever the target is, when %s sends a kill (E6)',
    (from) => {
      for (const trapsExits of [true, false]) {
        for (const drains of [true, false]) {
          expect(effectOfSignal('kill', { ...circumstances(trapsExits, drains, from), isKill: true })).toBe('die');
        }
      }
    },
  );

  it("lets a process trap the reason 'kill' of a linked process that ended with it (E6)", () => {
    expect(effectOfSignal('kill', circumstances(true, true, 'stranger'))).toBe('message');
  });
});

function circumstances(trapsExits: boolean, drains: boolean, from: Sender): SignalCircumstances {
  return { trapsExits, drains, fromParent: from === 'parent', fromItself: from === 'itself', isKill: false };
}

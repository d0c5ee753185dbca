import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../../lib/runtime/exits/exit-reason.js';
import { type Restart, shouldRestart } from '../../lib/supervision/restart-policy.js';

const CLEAN: ExitReason[] = ['normal', 'shutdown', { shutdown: 'idle' }, { shutdown: undefined }];
const ABNORMAL: ExitReason[] = [
  'killed',
  'noproc',
  'timeout',
  'kill',
  undefined,
  new Error('boom'),
  { thrown: 'normal' },
  { badReturnValue: 'normal' },
  Object.assign(new Error('an error that happens to have a field'), { shutdown: true }),
];

const rows = (restart: Restart, reasons: ExitReason[], isRestarted: boolean) =>
  reasons.map((reason) => ({ restart, reason, isRestarted }));

describe('shouldRestart', () => {
  it.each([...rows('permanent', CLEAN, true), ...rows('permanent', ABNORMAL, true)])(
    'restarts a $restart child that ended with $reason [S11]',
    ({ restart, reason, isRestarted }) => {
      expect(shouldRestart(restart, reason)).toBe(isRestarted);
    },
  );

  it.each([...rows('transient', CLEAN, false), ...rows('transient', ABNORMAL, true)])(
    'restarts a $restart child that ended with $reason: $isRestarted [S11]',
    ({ restart, reason, isRestarted }) => {
      expect(shouldRestart(restart, reason)).toBe(isRestarted);
    },
  );

  it.each([...rows('temporary', CLEAN, false), ...rows('temporary', ABNORMAL, false)])(
    'never restarts a $restart child, ended with $reason [S11]',
    ({ restart, reason, isRestarted }) => {
      expect(shouldRestart(restart, reason)).toBe(isRestarted);
    },
  );
});

/**
 * Bugs that the simulator must find. Each is one edit of one function of lib/:
 *
 * - `in` names the function or method, wherever in lib/ it is. `Class.method` where the name alone is not enough.
 * - `remove` says what to leave out. `replace` and `by` say what to put in its place, `insert` with `before` or `after` what to add.
 * - «…» marks the part that is edited; what stands around it only says which one is meant.
 * - In `by`, `$&` is the code that is replaced, and `this` is the object of the method, also when the method has become a function.
 *
 * The code is compared token by token, so that it may be formatted anew and moved: anchors.mjs says what does not count.
 */
const calls = [
  {
    id: 'caller-in-hand-forgotten',
    breaks: 'P4: the caller of the handler that crashed is told',
    in: 'giveUp',
    remove: 'if (request !== null) tellOfExit(request, reason);',
  },
  {
    id: 'late-callers-forgotten',
    breaks: 'P4: callers whose answer was left for later are told',
    in: 'giveUpExtras',
    remove: 'for (const request of extras.unanswered) tellOfExit(request, reason);',
  },
  {
    id: 'queued-callers-forgotten',
    breaks: 'P4: callers in the queue are told',
    in: 'end',
    remove: 'if (mailbox !== null && !mailbox.isEmpty) discardAll(mailbox, reason);',
  },
  {
    id: 'stop-reply-lost',
    breaks: 'P5: a stop with a reply answers',
    in: 'finishTermination',
    remove: 'if (request !== null) answer(request, answer);',
  },
  {
    id: 'answer-from-the-grave',
    breaks: 'P7: what a killed process answers is not delivered',
    in: 'answer',
    remove: 'isFenced ||',
  },
  {
    id: 'result-from-the-grave',
    breaks: 'P7: the result of a handler that killed itself is not applied',
    in: 'applyAny',
    remove: 'if (isFenced) { abandonStream(result); return; }',
  },
  {
    id: 'no-timeout-behind-a-queue',
    breaks: 'P4: a call times out however long the queue is',
    in: 'CallRequest.expire',
    before: 'const phase = phaseOf(this);',
    insert: 'if (server.queueLength > 1) return;',
  },
  {
    id: 'second-reply-wins',
    breaks: 'P5: the first answer counts',
    in: 'answerCaller',
    replace: 'answer(request, value)',
    by: 'void Promise.resolve().then(() => $&)',
  },
  {
    id: 'wrong-caller-answered',
    breaks: 'P5: an answer is for its own call',
    in: 'applyAny',
    replace: "if (kind === 'reply') answer(«request», value)",
    by: '[...(this.unanswered ?? [request])][0] ?? request',
  },
  {
    id: 'refusal-as-answer',
    breaks: 'P4: an error rejects',
    in: 'applyAny',
    replace: "if (kind === 'replyError') «refuse»(request, value)",
    by: 'answer',
  },
  {
    id: 'stop-tells-wrongly',
    breaks: 'E10: a stop that ended otherwise rejects',
    in: 'stop',
    replace: 'isSameReason(actual, reason)',
    by: 'actual !== null',
  },
];

const mailbox = [
  {
    id: 'mailbox-reordered',
    breaks: 'P2: first in, first out',
    in: 'Mailbox.push',
    after: 'tail += 2;',
    insert:
      'if (this.length === 2) [this.slots[this.head & this.mask], this.slots[at], this.slots[(this.head & this.mask) + 1], ' +
      'this.slots[at + 1]] = [this.slots[at], this.slots[this.head & this.mask], this.slots[at + 1], ' +
      'this.slots[(this.head & this.mask) + 1]];',
  },
  {
    id: 'two-handlers-at-once',
    breaks: 'P1: one handler at a time, across awaits',
    in: 'takeTurn',
    remove: '!isBusy &&',
  },
  {
    id: 'continue-after-mailbox',
    breaks: 'P9: a continue runs before the mailbox',
    in: 'takeTurn',
    replace: 'if («hasContinuation»)',
    by: '$& && !hasMail',
  },
  {
    id: 'continue-lost',
    breaks: 'P9: a continue runs',
    in: 'continueWith',
    remove: 'hasContinuation = true;',
  },
  {
    id: 'cast-lost-at-restart',
    breaks: 'P3: what is sent to a process in init waits',
    in: 'Process.deliver',
    replace: "status === 'dead'",
    by: "$& || this.status === 'starting'",
  },
  {
    id: 'one-too-many',
    breaks: 'P3: a mailbox holds as many as it may',
    in: 'BoundedMailbox.push',
    replace: 'counted «<» bound.limit',
    by: '<=',
  },
  {
    id: 'room-never-freed',
    breaks: 'P3: a message that was taken makes room',
    in: 'BoundedMailbox.take',
    remove: 'if (isCountable(peek())) counted--;',
  },
  {
    id: 'wrong-end-dropped',
    breaks: 'P3: the message goes that is to go',
    in: 'BoundedMailbox.push',
    replace: "bound.overflow «===» 'drop_oldest'",
    by: '!==',
  },
  {
    id: 'drop-counted-twice',
    breaks: 'P3: a dropped message makes room',
    in: 'BoundedMailbox.push',
    insert: 'this.counted++;',
    before: 'shed(...evicted);',
  },
  {
    id: 'shed-caller-forgotten',
    breaks: 'P4: the caller of a shed call is told',
    in: 'shed',
    before: 'request.refuse(new OverloadedError',
    insert: 'if (this.calls > 1)',
  },
  {
    id: 'stranger-context',
    breaks: 'context: nobody runs in the context of a sender',
    in: 'Scheduler.wake',
    replace: 'open();',
    by: 'void Promise.resolve().then(() => this.flush());',
  },
  {
    id: 'gathered-forgotten',
    breaks: 'P9: what waits for the end of a turn is handled then',
    in: 'takeSpecialWake',
    remove: 'isGathering = «isDeferred =» true',
  },
  {
    id: 'gathered-left-behind',
    breaks: 'P9: what was gathered is handled when something urgent ends the gathering',
    in: 'stopGathering',
    replace: 'if (isHurried) beginSlice(); flush();',
    by: 'this.runUrgent();',
  },
  {
    id: 'gathered-without-a-wake',
    breaks: 'P9: nobody waits for a wake that never comes',
    in: 'takeSpecialWake',
    replace: 'isGathering = isDeferred = true',
    by: 'this.isRunning = false',
  },
];

const state = [
  {
    id: 'state-lost',
    breaks: 'P6: a state that is left out is kept',
    in: 'applyPlain',
    remove: 'if (state !== KEEP_STATE)',
  },
  {
    id: 'state-of-cast-ignored',
    breaks: 'P6: the state is the fold of what was handled',
    in: 'applyPlain',
    replace: 'state !== KEEP_STATE',
    by: "$& && kind !== 'noReply'",
  },
];

const ends = [
  {
    id: 'terminate-error-swallowed',
    breaks: 'E8: what terminate throws is the reason',
    in: 'endInstead',
    remove: 'ending.reason = reason;',
  },
  {
    id: 'error-in-init-is-a-crash',
    breaks: 'I2: a refused start is no crash',
    in: 'applyInit',
    replace: "failStart(value, «'normal'», undefined)",
    by: 'value',
  },
  {
    id: 'ignored-start-crashes',
    breaks: 'I4: an ignored start ends normally',
    in: 'applyInit',
    replace: "leaveInit({ status: 'ignore' }, «'normal'»)",
    by: "'ignored'",
  },
  {
    id: 'start-timeout-stays',
    breaks: 'I7: the limit of init is for init',
    in: 'enter',
    remove: 'starting.deadline.cancel();',
  },
  {
    id: 'idle-time-not-reset',
    breaks: 'E2: a message begins the idle time anew',
    in: 'QuietTime.interrupt',
    remove: 'if (passivation !== null) passivation.cancel();',
  },
  {
    id: 'idle-although-awaited',
    breaks: 'E2: a server that owes an answer does not end for want of work',
    in: 'isExpectingSomething',
    replace: 'unanswered !== null && unanswered.size > 0',
    by: 'false',
  },
  {
    id: 'killed-while-idle',
    breaks: 'P7: no terminate after a kill',
    in: 'passivate',
    remove: 'isFenced ||',
  },
  {
    id: 'start-timeout-after-kill',
    breaks: 'I7: the reason that came first counts',
    in: 'startTimedOut',
    remove: 'if (isFenced) return;',
  },
  {
    id: 'kill-trapped',
    breaks: 'L2: a kill cannot be trapped',
    in: 'effectOfSignal',
    replace: 'at.isKill',
    by: '$& && !at.trapsExits',
  },
  {
    id: 'kill-by-its-name',
    breaks: 'E6: a process that is killed ends with killed',
    in: 'signal',
    replace: "die(«isKill ? 'killed' : reason»)",
    by: 'reason',
  },
  {
    id: 'parent-is-a-stranger',
    breaks: 'E5: the signal of a parent is a request to end',
    in: 'effectOfSignal',
    remove: "if (at.fromParent && at.trapsExits) return 'terminate';",
  },
  {
    id: 'normal-not-told',
    breaks: 'E4: who traps hears of normal ends as well',
    in: 'effectOfSignal',
    replace: "if («at.trapsExits») return 'message'",
    by: "$& && reason !== 'normal'",
  },
  {
    id: 'own-normal-ignored',
    breaks: 'E7: a normal signal to oneself is the end',
    in: 'effectOfSignal',
    replace: "at.fromItself ? 'die' : 'ignore'",
    by: "'ignore'",
  },
  {
    id: 'crash-of-parent-drains',
    breaks: 'E15: a parent that crashed takes its children along',
    in: 'effectOfSignal',
    remove: '&& isCleanExit(reason)',
  },
];

const relations = [
  {
    id: 'link-not-told',
    breaks: 'L2: a parent hears of the end of a child',
    in: 'end',
    remove: 'other.signal(reason, this);',
  },
  {
    id: 'link-asymmetry',
    breaks: 'L2: a link is symmetric',
    in: 'link',
    remove: '(relationsOf(b).links ??= new Set()).add(a);',
  },
  {
    id: 'half-an-unlink',
    breaks: 'L2: unlinking is symmetric',
    in: 'unlink',
    remove: 'b.forgetLink(a);',
  },
  {
    id: 'child-not-linked',
    breaks: 'L2: a child is linked to its parent',
    in: 'spawnAsPlanned',
    remove: 'if (parent !== null) linkToParent(process);',
  },
  {
    id: 'one-down-only',
    breaks: 'L1: every monitor tells',
    in: 'reportToWatchers',
    replace: 'watcher = «relations.firstWatcher») {',
    by: 'null',
  },
  {
    id: 'down-twice',
    breaks: 'L1: exactly one Down',
    in: 'ProcessMonitor.report',
    after: 'owner.relations.watching.delete(ref);',
    insert:
      "if (reason !== 'normal') this.owner.deliver(INFO_ENVELOPE, new Down(this.ref, this.pid, this.object, reason));",
  },
  {
    id: 'down-tells-wrongly',
    breaks: 'L1: a Down tells the reason',
    in: 'ProcessMonitor.report',
    replace: 'new Down(ref, pid, object, «reason»)',
    by: "'normal'",
  },
  {
    id: 'noproc-tells-wrongly',
    breaks: 'L1: a monitor of nobody says noproc',
    in: 'monitor',
    replace: "new Down(ref, pid, object, «'noproc'»)",
    by: "'normal'",
  },
  {
    id: 'noproc-never-told',
    breaks: 'L1: a monitor of nobody tells at once',
    in: 'monitor',
    remove: "owner.deliver(INFO_ENVELOPE, new Down(ref, pid, object, 'noproc'));",
  },
  {
    id: 'demonitor-does-nothing',
    breaks: 'L1: no Down after demonitor',
    in: 'demonitor',
    replace: 'found.stop() ?? false',
    by: 'found !== undefined',
  },
  {
    id: 'demonitor-without-flush',
    breaks: 'L1: no Down after demonitor and flush',
    in: 'demonitor',
    remove:
      'if (!wasOn && options.flush === true) serverOf(this).forgetMessage(ref, (message) => message instanceof Down);',
  },
  {
    id: 'watches-beyond-death',
    breaks: 'S5: the monitors of a process end with it',
    in: 'giveUp',
    remove: 'for (const monitor of relations.watching.values()) monitor.stop();',
  },
  {
    id: 'sends-from-the-grave',
    breaks: 'P7: a killed handler sends nothing',
    in: 'Self.send',
    remove: 'if (serverOf(this).isFenced) return;',
  },
  {
    id: 'arms-from-the-grave',
    breaks: 'P7: a killed handler arms no timer',
    in: 'Self.sendAfter',
    remove: 'if (isFenced) return new TimerRef(runtime.nextRefId());',
  },
  {
    id: 'signals-from-the-grave',
    breaks: 'P7: a killed handler signals nobody',
    in: 'Self.exit',
    remove: 'if (!isFenced)',
  },
  {
    id: 'watches-from-the-grave',
    breaks: 'P7: a killed handler watches nobody',
    in: 'Self.monitor',
    remove: 'if (isFenced) return runtime.newRef();',
  },
];

const timers = [
  {
    id: 'timeout-not-cancelled',
    breaks: 'T1: any message cancels a timeout',
    in: 'QuietTime.interrupt',
    remove: 'if (idle !== null && «!» isSystem)',
  },
  {
    id: 'timeout-despite-mail',
    breaks: 'T2: no Timeout when something waits',
    in: 'idleTimeIsOver',
    remove: 'queueLength === 0 &&',
  },
  {
    id: 'timeout-despite-message',
    breaks: 'T2: no Timeout when a message waits',
    in: 'idleTimeIsOver',
    replace: 'if (hasMessage) return; if (queueLength === 0 && !isSuspended)',
    by: 'if (!this.isSuspended)',
  },
  {
    id: 'timer-outlives-process',
    breaks: 'P8: the timers of a process end with it',
    in: 'giveUp',
    remove: 'for (const timer of relations.timers) timer.cancel();',
  },
  {
    id: 'timer-into-next-incarnation',
    breaks: 'P8: a timer never reaches a later incarnation',
    in: 'sendAfter',
    replace: 'receiverOf(destination)',
    by: '(): Process | undefined => [...runtime.processes()].find(({ pid }) => pid.id === destination.id)',
  },
  {
    id: 'cancelled-timer-fires',
    breaks: 'P8: a cancelled timer does not fire',
    in: 'HeapEntry.isStale',
    replace: 'deadline.queue !== this',
    by: '$& && this.deadline.queue !== null',
  },
  {
    id: 'timers-reversed',
    breaks: 'K3: equal timers fire in the order they were armed',
    in: 'isBefore',
    replace: 'a.ticket «<» b.ticket',
    by: '>',
  },
  {
    id: 'timer-early',
    breaks: 'K1: no timer fires early',
    in: 'DeadlineHeap.expireUntil',
    replace: 'top.at <= «now»',
    by: 'now + 5',
  },
  {
    id: 'timers-not-rearmed',
    breaks: 'K1: every timer fires',
    in: 'DeadlineHeap.expireUntil',
    remove: 'if (heap.length > 0) alarm.ringAt(heap[0].at, now);',
  },
  {
    id: 'call-timeout-early',
    breaks: 'P4: no call times out early',
    in: 'DeadlineList.expireUntil',
    replace: 'due.expiresAt <= «now»',
    by: 'now + 5',
  },
  {
    id: 'call-timeouts-not-rearmed',
    breaks: 'P4: every call times out',
    in: 'DeadlineList.expireUntil',
    remove: 'if (first !== null) alarm.ringAt(first.expiresAt ?? now + lengthMs, now);',
  },
  {
    id: 'deadline-list-torn',
    breaks: 'P4: every call times out',
    in: 'DeadlineList.remove',
    replace: 'if (next === null) last = previous; else next.previous = previous;',
    by: 'if (next !== null) next.previous = previous;',
  },
  {
    id: 'alarm-not-brought-forward',
    breaks: 'K1: an earlier timer fires earlier',
    in: 'ringAt',
    remove: 'firesAt <= at &&',
  },
  {
    id: 'cancel-says-so-only',
    breaks: 'P8: cancelTimer cancels',
    in: 'cancelTimer',
    remove: 'if (remaining !== false) TimerRef.pendingOf(ref).cancel();',
  },
  {
    id: 'remaining-off-by-one',
    breaks: 'K1: cancelTimer tells what was left',
    in: 'remainingMs',
    replace: 'deadline.expiresAt - clock.now()',
    by: '$& + 1',
  },
];

const supervision = [
  {
    id: 'transient-restarted-on-shutdown',
    breaks: 'S4: transient children end cleanly for good',
    in: 'shouldRestart',
    replace: '!isCleanExit(reason)',
    by: "reason !== 'normal' || $&",
  },
  {
    id: 'permanent-ends-normally',
    breaks: 'S4: permanent children always come back',
    in: 'shouldRestart',
    replace: "if (restart === 'permanent') return «true»",
    by: "reason !== 'normal'",
  },
  {
    id: 'temporary-restarted',
    breaks: 'S4: temporary children never come back',
    in: 'shouldRestart',
    remove: "if (restart === 'temporary') return false;",
  },
  {
    id: 'budget-off-by-one',
    breaks: 'S3: as many restarts as the budget allows',
    in: 'RestartIntensity.record',
    replace: 'first «<=» maxRestarts',
    by: '<',
  },
  {
    id: 'budget-one-more',
    breaks: 'S3: no more restarts than the budget allows',
    in: 'RestartIntensity.record',
    replace: 'first <= «maxRestarts»',
    by: '$& + 1',
  },
  {
    id: 'budget-window',
    breaks: 'S3: both ends of the window count',
    in: 'RestartIntensity.record',
    replace: 'now - incidents[first] «>» withinMs',
    by: '>=',
  },
  {
    id: 'budget-never-forgets',
    breaks: 'S3: old restarts do not count',
    in: 'RestartIntensity.record',
    replace: 'now - incidents[first] > withinMs',
    by: '$& && withinMs < 0',
  },
  {
    id: 'budget-ignored',
    breaks: 'S3: a supervisor gives up',
    in: 'SupervisorServer.restart',
    replace: '!intensity.record(runtime.clock.now())',
    by: '$& && options.maxRestarts === -1',
  },
  {
    id: 'wrong-restart-set',
    breaks: 'S2: rest_for_one takes those behind along',
    in: 'childrenToRestart',
    replace: "strategy === 'one_for_all' ? order.all() : «order.from(failed)»",
    by: 'order.all().slice(Math.max(0, order.all().indexOf(failed) - 1))',
  },
  {
    id: 'all-for-one',
    breaks: 'S2: one_for_all takes everybody along',
    in: 'childrenToRestart',
    replace: "strategy === 'one_for_all' ? order.all() : order.from(failed)",
    by: 'order.from(failed)',
  },
  {
    id: 'the-first-instead',
    breaks: 'S2: one_for_one restarts the one that failed',
    in: 'childrenToRestart',
    replace: "if (strategy === 'one_for_one') return [«failed»]",
    by: '0',
  },
  {
    id: 'stop-order',
    breaks: 'S1: children stop in reverse',
    in: 'SupervisorServer.stopAll',
    replace: 'children.toReversed()',
    by: '[...children]',
  },
  {
    id: 'group-not-stopped',
    breaks: 'S2: a group is stopped before it is started',
    in: 'startGroup',
    remove: 'if (group.length > 1) await stopAll(group);',
  },
  {
    id: 'temporary-kept',
    breaks: 'S4: a temporary child that ended is forgotten',
    in: 'SupervisorServer.onExit',
    remove: "if (child.spec.restart === 'temporary') children.remove(child);",
  },
  {
    id: 'retry-lost',
    breaks: 'S13: a restart that failed is tried again',
    in: 'SupervisorServer.retryLater',
    remove: 'runtime.clock.nextTurn(() => deliver(INFO_ENVELOPE, retry));',
  },
  {
    id: 'retry-not-counted',
    breaks: 'S13: each attempt counts',
    in: 'SupervisorServer.onRetry',
    replace: 'return «retry.isCounted» ? startGroup',
    by: 'true',
  },
  {
    id: 'backoff-too-long',
    breaks: 'S13: the first back-off is the shortest',
    in: 'backoffMs',
    remove: 'attempt «- 1»',
  },
  {
    id: 'no-kill-after-time',
    breaks: 'S6: a child that uses up its time is killed',
    in: 'beginShutdown',
    remove: 'deadlines.add(end, shutdownMs);',
  },
  {
    id: 'stopped-child-reports',
    breaks: 'L2: a supervisor hears in one way only of a child that it stops',
    in: 'beginShutdown',
    remove: 'relationsOf(child).isStoppedByParent = true;',
  },
  {
    id: 'held-up-by-init',
    breaks: 'S6: a child in init holds up nobody',
    in: 'SupervisorServer.init',
    remove: 'whenStopQueued(() => interruptStart());',
  },
  {
    id: 'shutdown-with-wrong-reason',
    breaks: 'S1: children are stopped with shutdown',
    in: 'beginShutdown',
    replace: "child.signal(«'shutdown'», parent)",
    by: "'normal'",
  },
  {
    id: 'significance-of-one',
    breaks: 'S20: all significant children have to end',
    in: 'isEndOfSignificant',
    replace: '!children.hasSignificant',
    by: 'true',
  },
  {
    id: 'incarnation-kept',
    breaks: 'P7: each life has a pid of its own',
    in: 'spawnAsPlanned',
    remove: 'predecessor.incarnation «+ 1»',
  },
  {
    id: 'deleted-while-running',
    breaks: 'S18: only stopped children are deleted',
    in: 'SupervisorServer.deleteChild',
    remove: "if (child.status !== 'stopped') throw problem(id, child.status);",
  },
];

const names = [
  {
    id: 'name-leak',
    breaks: 'R2: the name of who has ended is free',
    in: 'end',
    remove: 'releaseName();',
  },
  {
    id: 'name-stolen',
    breaks: 'R1: a name has one holder',
    in: 'NameTable.register',
    replace: 'else if («entry.holder !== undefined») return entry.holder;',
    by: 'false',
  },
  {
    id: 'key-started-twice',
    breaks: 'R3: of two starts under one key, one starts',
    in: 'Registry.registerName',
    remove: '|| entries.first(key) !== undefined',
  },
  {
    id: 'key-registered-twice',
    breaks: 'R1: a key has one holder',
    in: 'Registry.register',
    replace: "keys «===» 'unique' ? entries.first(key)",
    by: '!==',
  },
  {
    id: 'registry-keeps-dead',
    breaks: 'R2: the entries of who has ended are gone',
    in: 'OwnedEntries.ownerOf',
    replace: '() => «ownerEnded(process)»',
    by: 'undefined',
  },
  {
    id: 'registry-counts-dead',
    breaks: 'R2: the entries of who has ended do not count',
    in: 'OwnedEntries.ownerEnded',
    remove: 'count -= entries.size;',
  },
  {
    id: 'all-keys-unregistered',
    breaks: 'R1: unregister is for one key',
    in: 'Registry.unregister',
    replace: 'entries.ownedBy(process, key)',
    by: 'this.entries.ownedBy(process)',
  },
  {
    id: 'value-not-updated',
    breaks: 'R1: updateValue updates',
    in: 'Registry.updateValue',
    remove: 'entry.value = { pid: entry.pid, value: newValue };',
  },
];

export const mutants = [...calls, ...mailbox, ...state, ...ends, ...relations, ...timers, ...supervision, ...names];

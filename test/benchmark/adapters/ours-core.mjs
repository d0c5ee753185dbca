import { createWorld, GenServer, noReply, ok, reply } from '../lib/subject-core.mjs';

const counter = {
  init: () => ok(0),
  handleCall: (_request, _from, count) => reply(count + 1, count + 1),
  handleCast: (_request, count) => noReply(count + 1),
};
const asyncCounter = {
  ...counter,
  async handleCall(request, from, count) {
    await null;
    return reply(count + 1, count + 1);
  },
};
const peer = {
  init: () => ok(null),
  handleCast: ({ meet, left }, state) => {
    if (meet !== undefined) return noReply(meet);
    if (left === 0) state.done();
    else GenServer.cast(state.runtime, state.other, { left: left - 1 });
    return noReply();
  },
};
const relay = {
  init: ([onMessage]) => ok(onMessage),
  handleCast: (_request, onMessage) => {
    onMessage();
    return noReply();
  },
};

export default {
  name: 'nestjs-genserver/core',
  kind: 'library',
  note: 'plain behaviours called by pid, without NestJS; default timeout on',
  async setup() {
    return createWorld();
  },
  start: ({ runtime }, { async } = {}) => GenServer.start(runtime, async ? asyncCounter : counter),
  call: ({ runtime }, pid) => GenServer.call(runtime, pid, 'inc'),
  cast: ({ runtime }, pid) => GenServer.cast(runtime, pid, 'inc'),
  flush: ({ runtime }, pid) => GenServer.call(runtime, pid, 'inc', { timeoutMs: Infinity }),
  stop: ({ runtime }, pid) => GenServer.stop(runtime, pid),
  async pingpong({ runtime }, n) {
    const a = await GenServer.start(runtime, peer);
    const b = await GenServer.start(runtime, peer);
    await new Promise((done) => {
      GenServer.cast(runtime, a, { meet: { runtime, other: b, done } });
      GenServer.cast(runtime, b, { meet: { runtime, other: a, done } });
      GenServer.cast(runtime, a, { left: n });
    });
  },
  async relay({ runtime }, onMessage) {
    const pid = await GenServer.start(runtime, relay, { args: [onMessage] });
    return () => GenServer.cast(runtime, pid, 'hit');
  },
  skip: ['restart'],
};

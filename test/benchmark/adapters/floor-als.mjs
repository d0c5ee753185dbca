// The floor prototype with AsyncLocalStorage.run round every handler (self(), log context, deadlock detection).
import { AsyncLocalStorage } from 'node:async_hooks';
import base from './floor.mjs';
import { Server } from '../floor/genserver.mjs';
const als = new AsyncLocalStorage();
const incF = function () {
  return als.run(this, bump, this);
};
const bump = (self) => ++self.n;
const bumpA = async (self) => {
  await null;
  return ++self.n;
};
const incFA = function () {
  return als.run(this, bumpA, this);
};
class Counter {
  n = 0;
}
export default {
  ...base,
  name: 'floor + ALS',
  note: 'floor with AsyncLocalStorage.run for each message',
  async start(ctx, { async } = {}) {
    const s = new Server(new Counter(), null);
    s.op = async ? incFA : incF;
    return s;
  },
  async stop(ctx, h) {
    h.stop();
  },
  flush: (ctx, h) => h.call(incF, undefined, Infinity),
  skip: ['spawn', 'pingpong', 'restart'],
};

import nact from 'nact';

const { start, spawn, dispatch, query, stop } = nact;
const counter = (count = 0, message) => {
  if (message.to) dispatch(message.to, count + 1);
  return count + 1;
};
const asyncCounter = async (count = 0, message) => {
  await null;
  if (message.to) dispatch(message.to, count + 1);
  return count + 1;
};
const ask = (to) => ({ to });
const tell = {};
let ids = 0; // left to itself nact draws 31-bit random names, and 100 000 of those collide

export default {
  name: 'nact',
  kind: 'library',
  note: 'query needs a timeout (5 s given); one setImmediate for each message',
  setup: async () => ({ system: start() }),
  start: async ({ system }, { async } = {}) =>
    spawn(system, async ? asyncCounter : counter, 'c' + ++ids, { initialState: 0 }),
  call: (ctx, actor) => query(actor, ask, 5000),
  cast: (ctx, actor) => dispatch(actor, tell),
  flush: (ctx, actor) => query(actor, ask, 2e9),
  async stop(ctx, actor) {
    stop(actor);
  },
  pingpong: ({ system }, n) =>
    new Promise((done) => {
      const peers = [];
      const make = (i) =>
        spawn(system, (state, { left }) => {
          if (left === 0) done();
          else dispatch(peers[1 - i], { left: left - 1 });
          return state;
        });
      peers.push(make(0), make(1));
      dispatch(peers[0], { left: n });
    }),
  async supervised({ system }) {
    let started = 0;
    const frail = spawn(
      system,
      (generation, message) => {
        if (message.boom) throw new Error('boom');
        dispatch(message.to, generation);
        return generation;
      },
      undefined,
      { initialStateFunc: () => ++started, onCrash: (message, error, ctx) => ctx.reset },
    );
    return { crash: () => dispatch(frail, { boom: true }), generation: () => query(frail, ask, 5000) };
  },
};

import { createActor, fromTransition } from 'xstate';

const logic = fromTransition((count, event) => {
  event.reply?.(count + 1);
  return count + 1;
}, 0);
const tell = { type: 'inc' };
const ask = (actor) => new Promise((reply) => actor.send({ type: 'inc', reply }));

export default {
  name: 'XState 5',
  kind: 'library',
  note: 'no call of its own: a reply callback in the event; no timeout; send() runs the transition at once, which cannot be async',
  start: async () => createActor(logic).start(),
  call: (ctx, actor) => ask(actor),
  cast: (ctx, actor) => actor.send(tell),
  flush: (ctx, actor) => ask(actor),
  async stop(ctx, actor) {
    actor.stop();
  },
  skip: ['seqCallAsync', 'restart', 'pingpong'],
};

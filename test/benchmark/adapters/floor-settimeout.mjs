// The floor prototype with what most libraries do: a timer of its own for every call.
import base from './floor.mjs';
import { CallTimeout } from '../floor/genserver.mjs';
export default {
  ...base,
  name: 'floor + timer per call',
  note: 'floor with setTimeout/clearTimeout for each call',
  call(ctx, h) {
    return new Promise((res, rej) => {
      const t = setTimeout(() => rej(new CallTimeout(5000)), 5000);
      h.call(h.op, undefined, Infinity).then(
        (v) => {
          clearTimeout(t);
          res(v);
        },
        (e) => {
          clearTimeout(t);
          rej(e);
        },
      );
    });
  },
  skip: ['cast', 'spawn', 'pingpong', 'restart', 'fairness'],
};

import { Server, Supervised } from '../floor/genserver.mjs';
const registry = new Map();
let ids = 0;
class Counter {
  n = 0;
  inc() {
    return ++this.n;
  }
  async incA() {
    await null;
    return ++this.n;
  }
}
const { inc, incA } = Counter.prototype;
function relayed() {
  this.onMessage();
}
export default {
  name: 'floor prototype',
  kind: 'floor',
  note: 'ours by hand, without injection, typed clients, links or inspection: ring mailbox, one microtask drain, shared deadlines, fair slices',
  async start(ctx, { async } = {}) {
    const s = new Server(new Counter(), null);
    s.id = ++ids;
    s.op = async ? incA : inc;
    registry.set(s.id, s);
    return s;
  },
  call: (ctx, h) => h.call(h.op),
  cast: (ctx, h) => h.cast(h.op),
  flush: (ctx, h) => h.call(inc, undefined, Infinity),
  async stop(ctx, h) {
    registry.delete(h.id);
    h.stop();
  },
  async pingpong(ctx, n) {
    return new Promise((done) => {
      class Peer {
        hit(left) {
          if (left === 0) done();
          else this.other.cast(hit, left - 1);
        }
      }
      const { hit } = Peer.prototype;
      const a = new Server(new Peer(), null),
        b = new Server(new Peer(), null);
      a.instance.other = b;
      b.instance.other = a;
      a.cast(hit, n);
    });
  },
  async relay(ctx, onMessage) {
    const server = new Server({ onMessage }, null);
    return () => server.cast(relayed);
  },
  async supervised() {
    let g = 0;
    class Frail {
      gen = ++g;
      generation() {
        return this.gen;
      }
      boom() {
        throw new Error('boom');
      }
    }
    const { generation, boom } = Frail.prototype;
    const s = new Supervised(() => new Frail(), { max: 1e6 });
    return { crash: () => s.cast(boom), generation: () => s.call(generation) };
  },
};

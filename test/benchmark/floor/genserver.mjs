// A hand-written prototype: how fast can a GenServer with correct semantics be on this Node?
//
// Semantics kept: messages of one server are handled strictly one at a time, also when a handler
// is async; a call has a timeout; a throwing handler crashes the server, fails the calls that wait,
// and a supervisor starts a new instance under a restart-intensity limit; a server with a huge
// backlog gives way to other servers and to the event loop.
//
// Tricks: ring-buffer mailbox with two slots a message (no record object for a cast), one microtask
// for all ready servers, no await for a handler that returns a plain value, one timer per distinct
// timeout length with an intrusive linked list of waiting calls (no per-call timer).

import { performance } from 'node:perf_hooks'; // a shade faster than the global's getter

const RUNNING = 0,
  STOPPED = 1;

export class CallTimeout extends Error {
  constructor(ms) {
    super(`call timed out after ${ms} ms`);
  }
}
export class ServerDown extends Error {
  constructor() {
    super('server is not running');
  }
}

// ---- shared deadline lists -------------------------------------------------------------------
class DeadlineList {
  constructor(ms) {
    this.ms = ms;
    this.head = null;
    this.tail = null;
    this.timer = null;
    this.held = false;
  }
  add(rec) {
    const now = performance.now();
    rec.at = now + this.ms;
    rec.list = this;
    rec.prev = this.tail;
    if (this.tail === null) this.head = rec;
    else this.tail.next = rec;
    this.tail = rec;
    if (this.timer === null) this.arm(this.ms);
    else if (!this.held) {
      this.held = true;
      this.timer.ref();
    }
  }
  remove(rec) {
    const { prev, next } = rec;
    if (prev === null) this.head = next;
    else prev.next = next;
    if (next === null) this.tail = prev;
    else next.prev = prev;
    rec.prev = rec.next = null;
    rec.list = null;
    // The timer is left running: it re-arms for the next head, or lapses when the list is empty.
    // An empty list lets the process exit, which is settled once at the end of a turn (settleTimers).
  }
  arm(ms) {
    this.held = true;
    this.timer = setTimeout(() => this.fire(), ms < 1 ? 1 : Math.ceil(ms));
  }
  fire() {
    this.timer = null;
    const now = performance.now();
    let rec;
    while ((rec = this.head) !== null && rec.at <= now) {
      this.remove(rec);
      rec.done = true;
      rec.reject(new CallTimeout(this.ms));
    }
    if (this.head !== null) this.arm(this.head.at - now);
  }
}
const lists = new Map();
let lastList = new DeadlineList(5000);
lists.set(5000, lastList);
function listFor(ms) {
  if (lastList.ms === ms) return lastList;
  let l = lists.get(ms);
  if (l === undefined) lists.set(ms, (l = new DeadlineList(ms)));
  return (lastList = l);
}
function settleTimers() {
  for (const l of lists.values())
    if (l.held && l.head === null && l.timer !== null) {
      l.held = false;
      l.timer.unref();
    }
}

// ---- scheduler -------------------------------------------------------------------------------
const SLICE_MS = 2; // the longest the drains may hold one turn of the event loop
const QUOTA = 256; // messages a server may handle before the next ready server's turn
let firstReady = null,
  lastReady = null; // an intrusive list: emptying an array frees its store each time
// The loop parks on a pending promise whose reaction was registered here, in the root async context: whoever wakes it only
// resolves it, so handlers never run in the waker's context. Cheaper than queueMicrotask, which makes an AsyncResource each time.
let open;
function park() {
  new Promise((r) => {
    open = r;
  }).then(wake);
}
function wake() {
  park();
  flush();
}
let flushing = false,
  deferred = false,
  credit = 64;
let turnStart = 0,
  inTurn = false; // a turn: from the first drain to the next setImmediate
function endTurn() {
  inTurn = false;
  turnStart = 0;
  settleTimers();
  if (deferred) {
    deferred = false;
    flush();
  }
}
function schedule(server) {
  server.queued = true;
  if (lastReady === null) firstReady = server;
  else lastReady.nextReady = server;
  lastReady = server;
  if (!flushing) {
    flushing = true;
    open();
  }
}
function overdue() {
  // the clock is read once in 64 messages only
  if (--credit > 0) return false;
  credit = 64;
  const now = performance.now();
  if (turnStart === 0) {
    turnStart = now;
    return false;
  }
  return now - turnStart > SLICE_MS;
}
function flush() {
  if (!inTurn) {
    inTurn = true;
    setImmediate(endTurn);
  } else if (overdue()) {
    credit = 1;
    deferred = true;
    return;
  } // endTurn goes on
  for (let s = firstReady; s !== null; s = firstReady) {
    firstReady = s.nextReady;
    if (firstReady === null) lastReady = null;
    s.nextReady = null;
    s.queued = false;
    if (s.run()) {
      deferred = true;
      return;
    } // the slice is over
  }
  flushing = false;
}

park();

// ---- server ----------------------------------------------------------------------------------
let grabRes, grabRej;
const grab = (a, b) => {
  grabRes = a;
  grabRej = b;
};

class CallRec {
  constructor(handler) {
    this.handler = handler;
    this.resolve = grabRes;
    this.reject = grabRej;
    this.done = false;
    this.at = 0;
    this.list = null;
    this.prev = null;
    this.next = null;
  }
}

export class Server {
  constructor(instance, onExit) {
    this.instance = instance;
    this.status = RUNNING;
    this.queued = false;
    this.nextReady = null;
    this.busy = false;
    this.buf = null;
    this.mask = 0;
    this.head = 0;
    this.tail = 0;
    this.current = null;
    this.onExit = onExit;
    this.onDone = null;
    this.onFail = null;
  }
  push(tag, payload) {
    let buf = this.buf;
    if (buf === null) {
      buf = this.buf = new Array(16).fill(undefined);
      this.mask = 15;
    } else if (this.tail - this.head > this.mask - 1) buf = this.grow();
    const at = this.tail & this.mask;
    buf[at] = tag;
    buf[at + 1] = payload;
    this.tail += 2;
    if (!this.queued && !this.busy) schedule(this);
  }
  grow() {
    const old = this.buf,
      n = old.length,
      from = this.head & this.mask;
    const buf = old.slice(from).concat(old.slice(0, from));
    for (let i = 0; i < n; i++) buf.push(undefined);
    this.head = 0;
    this.tail = n;
    this.mask = n * 2 - 1;
    return (this.buf = buf);
  }
  call(handler, payload, ms = 5000) {
    const promise = new Promise(grab);
    const rec = new CallRec(handler);
    if (this.status !== RUNNING) {
      rec.reject(new ServerDown());
      return promise;
    }
    if (ms !== Infinity) listFor(ms).add(rec);
    this.push(rec, payload);
    return promise;
  }
  cast(handler, payload) {
    if (this.status !== RUNNING) return;
    this.push(handler, payload);
  }
  run() {
    // true: the slice is over
    if (this.busy || this.status !== RUNNING) return false;
    const self = this.instance;
    let quota = QUOTA;
    while (this.head !== this.tail) {
      if (quota-- === 0) {
        schedule(this);
        return false;
      }
      const mask = this.mask,
        at = this.head & mask,
        buf = this.buf;
      const tag = buf[at],
        payload = buf[at + 1];
      buf[at] = undefined;
      buf[at + 1] = undefined;
      this.head += 2;
      let result;
      if (typeof tag === 'function') {
        // a cast
        try {
          result = tag.call(self, payload);
        } catch (e) {
          this.exit(e);
          return false;
        }
        if (result !== undefined && result !== null && typeof result.then === 'function') {
          this.wait(null, result);
          return false;
        }
      } else {
        if (tag.done) continue; // it timed out while it waited
        try {
          result = tag.handler.call(self, payload);
        } catch (e) {
          settle(tag, e, true);
          this.exit(e);
          return false;
        }
        if (result !== undefined && result !== null && typeof result.then === 'function') {
          this.wait(tag, result);
          return false;
        }
        settle(tag, result, false);
      }
      if (overdue()) {
        if (this.head !== this.tail) schedule(this);
        return true;
      }
    }
    if (this.mask > 4095) {
      this.buf = null;
      this.mask = 0;
      this.head = this.tail = 0;
    } // give a big mailbox back
    return false;
  }
  wait(rec, promise) {
    this.busy = true;
    this.current = rec;
    if (this.onDone === null) {
      this.onDone = (v) => {
        this.busy = false;
        const r = this.current;
        this.current = null;
        if (r !== null) settle(r, v, false);
        this.resume();
      };
      this.onFail = (e) => {
        this.busy = false;
        const r = this.current;
        this.current = null;
        if (r !== null) settle(r, e, true);
        this.exit(e);
      };
    }
    promise.then(this.onDone, this.onFail);
  }
  resume() {
    if (this.status !== RUNNING || this.head === this.tail || this.queued) return;
    schedule(this);
  }
  exit(reason) {
    if (this.status === STOPPED) return;
    this.status = STOPPED;
    const buf = this.buf;
    if (buf !== null) {
      for (; this.head !== this.tail; this.head += 2) {
        const tag = buf[this.head & this.mask];
        if (typeof tag === 'object' && tag !== null && !tag.done) settle(tag, new ServerDown(), true);
      }
      this.buf = null;
    }
    if (this.onExit !== null) this.onExit(this, reason);
  }
  stop() {
    this.exit('normal');
  }
}
function settle(rec, value, failed) {
  if (rec.done) return; // it timed out in the handler: a late reply is dropped
  rec.done = true;
  if (rec.list !== null) rec.list.remove(rec);
  if (failed) rec.reject(value);
  else rec.resolve(value);
}

// ---- a minimal one_for_one supervisor with a stable reference ----------------------------------
export class Supervised {
  constructor(make, { max = 3, withinMs = 5000 } = {}) {
    this.make = make;
    this.max = max;
    this.withinMs = withinMs;
    this.times = [];
    this.at = 0;
    this.onExit = (server, reason) => {
      if (reason === 'normal') return;
      const now = performance.now();
      const old = this.times[this.at];
      if (old !== undefined && now - old < this.withinMs) {
        this.server = null;
        return;
      }
      this.times[this.at] = now;
      this.at = (this.at + 1) % this.max;
      this.server = new Server(this.make(), this.onExit);
    };
    this.server = new Server(make(), this.onExit);
  }
  call(h, p, ms) {
    return this.server === null ? Promise.reject(new ServerDown()) : this.server.call(h, p, ms);
  }
  cast(h, p) {
    if (this.server !== null) this.server.cast(h, p);
  }
}

// node floor/check.mjs: the prototype keeps the semantics it is measured with
import assert from 'node:assert/strict';
import { Server, Supervised, CallTimeout, ServerDown } from './genserver.mjs';
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
class Box {
  n = 0;
  log = [];
}
const slow = async function (ms) {
  this.log.push('in' + ms);
  await sleep(ms);
  this.log.push('out' + ms);
  return ms;
};
const fast = function (x) {
  this.log.push(x);
  return x;
};
const boom = function () {
  throw new Error('boom');
};

{
  // one at a time, in order, also with async handlers between sync ones
  const s = new Server(new Box(), null);
  const r = await Promise.all([s.call(slow, 20), s.call(fast, 'a'), s.call(slow, 5), s.call(fast, 'b')]);
  assert.deepEqual(r, [20, 'a', 5, 'b']);
  assert.deepEqual(s.instance.log, ['in20', 'out20', 'a', 'in5', 'out5', 'b']);
}
{
  // a timeout fires on time, the waiting call behind it is skipped, the server lives on
  const s = new Server(new Box(), null),
    t = performance.now();
  const first = s.call(slow, 80),
    second = assert.rejects(s.call(fast, 'never', 30), CallTimeout);
  await second;
  const e = performance.now() - t;
  assert(e >= 29 && e < 75, `timed out after ${e}`);
  await first;
  assert.equal(await s.call(fast, 'after'), 'after');
  assert(!s.instance.log.includes('never'));
}
{
  // a timeout in the handler: the late reply is dropped
  const s = new Server(new Box(), null);
  await assert.rejects(s.call(slow, 60, 20), CallTimeout);
  assert.equal(await s.call(fast, 1), 1);
}
{
  // a crash fails those who wait; the supervisor starts a new one; the limit holds
  let made = 0;
  const s = new Supervised(
    () => {
      made++;
      return new Box();
    },
    { max: 3, withinMs: 1000 },
  );
  const dead = s.call(boom),
    behind = s.call(fast, 1);
  await assert.rejects(dead, /boom/);
  await assert.rejects(behind, ServerDown);
  assert.equal(await s.call(fast, 2), 2);
  assert.equal(made, 2);
  for (let i = 0; i < 3; i++) await s.call(boom).catch(() => {});
  await assert.rejects(s.call(fast, 3), ServerDown);
}
{
  // a growing mailbox keeps its order; a million casts do not starve timers
  const s = new Server(new Box(), null);
  let n = 0,
    ok = true,
    ticks = 0;
  const step = (i) => {
    if (i !== n++) ok = false;
  };
  const t = setInterval(() => ticks++, 1);
  for (let i = 0; i < 1e6; i++) s.cast(step, i);
  await s.call(fast, 1, Infinity);
  clearInterval(t);
  assert(ok && n === 1e6);
  assert(ticks >= 5, `${ticks} ticks`);
}
{
  // an endless ping-pong does not starve timers either
  let stop = false;
  class P {
    hit() {
      if (!stop) this.other.cast(hit);
    }
  }
  const { hit } = P.prototype,
    a = new Server(new P(), null),
    b = new Server(new P(), null);
  a.instance.other = b;
  b.instance.other = a;
  a.cast(hit);
  await sleep(20);
  stop = true;
}
console.log('ok');

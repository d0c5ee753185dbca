// An application that floods one of its servers when it is told to, and says how late its own timer was meanwhile.
import { Controller, Get } from '@nestjs/common';
import {
  GenServerBase,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  noReply,
  ok,
  reply,
} from 'nestjs-genserver';
import { bootHttp, injected, rootModule, server } from '../support/application.mjs';
import { pause } from '../support/program.mjs';

const TIMER_MS = 10;

/** Floods itself: for every message it handles, it sends itself another. */
class Fountain extends GenServerBase {
  init() {
    return ok({ isOn: false, handled: 0 });
  }
  start() {
    for (let drop = 0; drop < 100; drop++) this.self.send(this.self.pid, 'drop');
    return noReply({ isOn: true, handled: 0 });
  }
  drop() {
    if (this.state.isOn) this.self.send(this.self.pid, 'drop');
    this.state.handled++;
    return noReply();
  }
  stop() {
    return reply(this.state.handled, { isOn: false, handled: 0 });
  }
}
server(Fountain, { start: HandleCast(), drop: HandleInfo('drop'), stop: HandleCall() });

class Sink extends GenServerBase {
  init() {
    return ok(0);
  }
  add() {
    return noReply(this.state + 1);
  }
  take() {
    return reply(this.state, 0);
  }
}
server(Sink, { add: HandleCast(), take: HandleCall({ timeoutMs: Infinity }) });

class Pulse extends GenServerBase {
  init() {
    return ok(null);
  }
  beat() {
    return reply('ok');
  }
}
server(Pulse, { beat: HandleCall() });

class HealthController {
  constructor(pulse) {
    this.pulse = pulse;
  }
  health() {
    return this.pulse.beat();
  }
}
Controller()(HealthController);
Get('health')(
  HealthController.prototype,
  'health',
  Object.getOwnPropertyDescriptor(HealthController.prototype, 'health'),
);
injected(HealthController, getGenServerToken(Pulse));

const { app, clients, port } = await bootHttp(
  rootModule({
    providers: [Fountain, Sink, Pulse],
    controllers: [HealthController],
    clients: [getGenServerToken(Fountain), getGenServerToken(Sink)],
  }),
);
const [fountain, sink] = clients;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/**
 * Notes how late a timer fires, over and over, until it is stopped; and how late it would have been if this process, which is always
 * busy in a flood, had not had to wait for the processor.
 */
function watchTimer({ late, unhindered }) {
  let timer;
  const arm = () => {
    const [begin, beginCpu] = [performance.now(), cpuMs()];
    timer = setTimeout(() => {
      const tookMs = performance.now() - begin;
      const waitedMs = Math.max(0, tookMs - (cpuMs() - beginCpu));
      late.push(tookMs - TIMER_MS);
      unhindered.push(Math.max(0, tookMs - TIMER_MS - waitedMs));
      arm();
    }, TIMER_MS);
  };
  arm();
  return () => clearTimeout(timer);
}

const floods = {
  /** Nothing happens: what the machine gives. */
  async none(ms) {
    await pause(ms);
    return 0;
  },
  async itself(ms) {
    fountain.start();
    await pause(ms);
    return fountain.stop();
  },
};

/** As many casts as there are to be, of which the sender's own loop is not measured. */
async function floodOfCasts(casts, watched) {
  for (let cast = 0; cast < casts; cast++) sink.add();
  const stop = watchTimer(watched);
  process.send({ is: 'flooding' });
  const handled = await sink.take();
  stop();
  process.send({ is: 'calm' });
  await pause(50); // requests that came during the flood must not wait for the next one
  return handled;
}

process.on('message', async ({ flood, ms, casts }) => {
  const watched = { late: [], unhindered: [] };
  let handled = 0;
  if (flood === 'casts') {
    for (const until = performance.now() + ms; performance.now() < until;)
      handled += await floodOfCasts(casts, watched);
  } else {
    const stop = watchTimer(watched);
    process.send({ is: 'flooding' });
    handled = await floods[flood](ms);
    stop();
    process.send({ is: 'calm' });
  }
  process.send({ is: 'done', handled, ...watched });
});
process.on('disconnect', () => void app.close());
process.send({ is: 'listening', port });

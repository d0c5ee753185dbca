import { inspect } from 'node:util';
import { Controller, Get, type LoggerService } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type CallResult,
  error,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  type GenServerModuleOptions,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  provideGenServer,
  Redact,
  reply,
  stop,
} from 'nestjs-genserver';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { compiled } from './support/application.js';

/** What must never come out. */
const CANARY = 'canary-4111-hunter2';
/** What stands next to it and may. */
const VISIBLE = 'visible-ann';

class Card {
  readonly owner = VISIBLE;
  @Redact() readonly number: string;

  constructor(number: string) {
    this.number = number;
  }
}

interface Vaulted {
  readonly owner: string;
  readonly password: string;
  readonly card: Card;
  readonly headers: ReadonlyMap<string, string>;
  readonly ibanNumber: string;
}

const refusedBy = (secret: unknown) =>
  Object.assign(new Error('the upstream said no'), { config: { headers: { Authorization: secret } }, owner: VISIBLE });

/** A server whose every request fails while it handles a secret. */
@GenServer({ restart: 'temporary' })
class Vault extends GenServerBase<Vaulted> {
  override init(given: { password: string } | { fail: unknown }) {
    if ('fail' in given) return error({ password: given.fail, owner: VISIBLE });
    const card = new Card(given.password);
    return ok({
      owner: VISIBLE,
      password: given.password,
      card,
      headers: new Map([['x-api-key', given.password]]),
      ibanNumber: given.password,
    });
  }
  @HandleCall() throwsError(_login: { owner: string; password: string }): CallResult<never, Vaulted> {
    throw refusedBy(CANARY);
  }
  @HandleCall() throwsCause(_login: object): CallResult<never, Vaulted> {
    throw new Error('wrapped', { cause: refusedBy(CANARY) });
  }
  @HandleCall() throwsObject(): CallResult<never, Vaulted> {
    throw { token: CANARY, owner: VISIBLE };
  }
  @HandleCall() stops() {
    return stop({ secret: CANARY, owner: VISIBLE }).reply({ ok: true });
  }
  @HandleCall() exits(): CallResult<never, Vaulted> {
    return this.self.exit({ clientSecret: CANARY, owner: VISIBLE });
  }
  @HandleCall() async rejects(_login: object): Promise<CallResult<never, Vaulted>> {
    await settle();
    throw refusedBy(CANARY);
  }
  @HandleCall() returnsJunk() {
    return { cookie: CANARY, owner: VISIBLE } as never as CallResult<never, Vaulted>;
  }
  @HandleCall() never(_login: object, _card: Card) {
    return this.from<never>().later();
  }
  @HandleCall() login(_user: string, @Redact() _pin: string): CallResult<never, Vaulted> {
    throw new Error('wrong pin');
  }
  @Redact() @HandleCall() issue(_pin: string) {
    return reply(CANARY);
  }
  @HandleCall() look() {
    return reply({ owner: this.state.owner, accessToken: this.state.password });
  }
  @HandleCast() castThrows(_login: object) {
    throw refusedBy(CANARY);
    return noReply();
  }
  @HandleInfo('note') protected onNote(_note: object) {
    return noReply({ ...this.state });
  }
  @HandleInfo('pin') protected onPin(@Redact() _message: object) {
    return noReply();
  }
  @HandleInfo('end') protected onEnd() {
    return stop({ jwt: CANARY, owner: VISIBLE });
  }
  override codeChange(): never {
    throw refusedBy(CANARY);
  }
}

@GenServer({ restart: 'temporary' })
class BadEnd extends GenServerBase<{ password: string }> {
  override init() {
    return ok({ password: CANARY });
  }
  override terminate(): void {
    throw { password: CANARY, owner: VISIBLE };
  }
}

@GenServer({ restart: 'temporary' })
class Formatted extends GenServerBase<{ password: string; secretSanta: string }> {
  override init() {
    return ok({ password: CANARY, secretSanta: VISIBLE });
  }
  override formatStatus({ secretSanta }: { secretSanta: string }) {
    return { secretSanta };
  }
  @HandleCall() crash(): CallResult<never, { password: string; secretSanta: string }> {
    throw new Error('boom');
  }
}

@Controller('vault')
class VaultController {
  constructor(
    @InjectGenServer(Vault) private readonly vault: GenServerClient<Vault>,
    @InjectGenServer(Vault, 'second') private readonly second: GenServerClient<Vault>,
    @InjectGenServer(Vault, 'third') private readonly third: GenServerClient<Vault>,
    private readonly clock: ManualClock,
  ) {}
  @Get('late') late() {
    const answer = this.vault.with({ timeoutMs: 10 }).never({ password: CANARY }, new Card(CANARY));
    void this.clock.advance(10);
    return answer;
  }
  @Get('crash') crash() {
    return this.second.throwsError({ owner: VISIBLE, password: CANARY });
  }
  @Get('login') login() {
    return this.third.login(VISIBLE, CANARY);
  }
}

/** Everything that can be read out of a value, by whatever prints or serialises it. */
function readOut(value: unknown): string {
  const printed = inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null });
  let json = '';
  try {
    json = JSON.stringify(value);
  } catch {
    // A circle: it was printed above.
  }
  return `${printed}\n${String(value)}\n${json}`;
}

/** Crashes servers in every way, with secrets everywhere, and collects what comes out anywhere. */
async function sinksOf(options: GenServerModuleOptions): Promise<ReadonlyMap<string, string>> {
  const sinks = new Map<string, string>();
  const into = (sink: string, value: unknown): void => {
    sinks.set(sink, `${sinks.get(sink) ?? ''}\n${typeof value === 'string' ? value : readOut(value)}`);
  };
  const clock = new ManualClock();
  const log = (...line: unknown[]): void => line.forEach((part) => into('log', part));
  const logger: LoggerService = { log, error: log, warn: log, debug: log, verbose: log, fatal: log };
  const args = [{ password: CANARY }];
  const module = await compiled({
    providers: [
      provideGenServer(Vault, { args }),
      provideGenServer(Vault, { name: 'second', args }),
      provideGenServer(Vault, { name: 'third', args }),
      BadEnd,
      Formatted,
      { provide: ManualClock, useValue: clock },
      { provide: APP_FILTER, useClass: GenServerExceptionFilter },
    ],
    controllers: [VaultController],
    options: { redact: ['iban_number'], clock, ...options },
  });
  const application = module.createNestApplication({ logger });
  onTestFinished(() => application.close());
  application.useLogger(logger);
  await application.init();
  const runtime = application.get(GenServerRuntime);
  runtime.events$.subscribe((event) => into('events', event));

  const login = { owner: VISIBLE, password: CANARY };
  const ways: readonly ((client: GenServerClient<Vault>) => unknown)[] = [
    (vault) => vault.throwsError(login),
    (vault) => vault.throwsCause(login),
    (vault) => vault.throwsObject(),
    (vault) => vault.stops(),
    (vault) => vault.exits(),
    (vault) => vault.rejects(login),
    (vault) => vault.returnsJunk(),
    (vault) => vault.login(VISIBLE, CANARY),
    (vault) => vault.castThrows(login),
    (vault) => runtime.send(vault, 'end'),
    (vault) => Promise.all([vault.never(login, new Card(CANARY)), vault.throwsError(login)]),
    (vault) => runtime.stop(vault, { password: CANARY, owner: VISIBLE }),
    (vault) => runtime.exit(vault, { password: CANARY, owner: VISIBLE }),
    (vault) => runtime.exit(vault, 'kill'),
  ];
  for (const way of ways) {
    const pid = await runtime.start(Vault, { args });
    const trace = await runtime.sys.trace(pid, 'on');
    const vault = runtime.client<Vault>(pid, Vault);
    runtime.send(pid, { type: 'note', password: CANARY, owner: VISIBLE });
    runtime.send(pid, { type: 'unexpected', password: CANARY, owner: VISIBLE });
    runtime.send(pid, { type: 'pin', digits: CANARY });
    await vault.look();
    await vault.issue(CANARY);
    into('status', await runtime.sys.getStatus(pid));
    const waiting = vault
      .with({ timeoutMs: Infinity })
      .never(login, new Card(CANARY))
      .catch((e: unknown) => into('errors', e));
    const slow = vault
      .with({ timeoutMs: 10 })
      .never(login, new Card(CANARY))
      .catch((e: unknown) => into('errors', e));
    await settle();
    await clock.advance(10);
    await slow;
    await Promise.resolve(way(vault)).catch((e: unknown) => into('errors', e));
    await settle();
    runtime.exit(pid, 'kill');
    await waiting;
    into('trace', trace.entries());
  }
  into('errors', await rejectionOf(runtime.start(Vault, { args: [{ fail: CANARY }] })));
  const upgraded = await runtime.start(Vault, { args });
  await runtime.sys.suspend(upgraded);
  into('errors', await rejectionOf(runtime.sys.changeCode(upgraded)));
  into('errors', await rejectionOf(runtime.stop(BadEnd)));
  into('errors', await rejectionOf(runtime.client<Formatted>(Formatted).crash()));
  into(
    'errors',
    await rejectionOf(
      (await runtime.startAgent(() => ({ password: CANARY }))).get(() => Promise.reject(refusedBy(CANARY))),
    ),
  );
  into('tree', runtime.tree());
  into('tree', runtime.printTree());
  for (const path of ['crash', 'login', 'late']) {
    const answer = await request(application.getHttpServer()).get(`/vault/${path}`);
    into('http', `${answer.status} ${JSON.stringify(answer.headers)} ${answer.text}`);
  }
  await application.close();
  into('stop report', runtime.stopReport);
  return sinks;
}

describe('what is secret', () => {
  it('comes out nowhere, however servers end, while what stands next to it does', async () => {
    const sinks = await sinksOf({ showValues: true });
    expect(
      [...sinks].filter(([, text]) => text.includes(CANARY)).map(([sink, text]) => [sink, excerptOf(text)]),
    ).toEqual([]);
    expect([...sinks.keys()].sort()).toEqual([
      'errors',
      'events',
      'http',
      'log',
      'status',
      'stop report',
      'trace',
      'tree',
    ]);
    for (const sink of ['log', 'events', 'status', 'trace', 'errors']) expect(sinks.get(sink)).toContain(VISIBLE);
    expect(sinks.get('http')).toContain('500');
    expect(sinks.get('http')).toContain('CALL_TIMEOUT');
  });

  it('does not come out of production either, nor does any other value', async () => {
    const sinks = await sinksOf({ showValues: false });
    expect(
      [...sinks].filter(([, text]) => text.includes(CANARY)).map(([sink, text]) => [sink, excerptOf(text)]),
    ).toEqual([]);
    expect(sinks.get('errors')).toContain('Vault.returnsJunk returned { cookie: string, owner: string }');
    expect(sinks.get('status')).not.toContain(VISIBLE);
    expect(sinks.get('status')).toContain('state: { owner: string, password: string');
  });
});

/** Where it came out. */
function excerptOf(text: string): string {
  const at = text.indexOf(CANARY);
  return text.slice(Math.max(0, at - 300), at + 50);
}

describe('what cannot be meant', () => {
  it.each([[['']], [['--']], [[5]], ['password'], [null]])('redact: %j is refused', async (redact) => {
    const refused = await compiled({ options: { redact: redact as never } }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      mistake: 'invalid_option',
      message: expect.stringContaining('redact of GenServerModule'),
    });
  });

  it('showValues that is neither true nor false is refused', async () => {
    const refused = await compiled({ options: { showValues: 'no' as never } }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ mistake: 'invalid_option', message: expect.stringContaining('showValues') });
  });

  it('@Redact() on a parameter of a constructor is refused: no field is known there', () => {
    const decorate = () => {
      class Wrong {
        constructor(@Redact() readonly pin: string) {}
      }
      return Wrong;
    };
    expect(decorate).toThrow('@Redact() cannot stand on a parameter of a constructor (Wrong)');
  });

  it('an override does not make an argument public', async () => {
    @GenServer()
    class Base extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      @HandleCall() login(_user: string, @Redact() _pin: string): CallResult<string, null> {
        return reply('base');
      }
    }
    @GenServer()
    class Derived extends Base {
      override login(user: string, _pin: string): CallResult<string, null> {
        throw new Error(`no ${user}`);
      }
    }
    const module = await compiled({ providers: [Derived] });
    await module.init();
    const refused = await rejectionOf(module.get(GenServerRuntime).client<Derived>(Derived).login(VISIBLE, CANARY));
    expect(refused).toMatchObject({ request: { handler: 'login', args: [VISIBLE, '[redacted]'] } });
  });
});

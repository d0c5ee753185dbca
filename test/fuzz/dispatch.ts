import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type Destination,
  type DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  GenServerModule,
  GenServerRuntime,
  getDynamicSupervisorToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  noReply,
  ok,
  reply,
} from 'nestjs-genserver';
import * as z from 'zod';
import { droppedLines } from '../support/dropped-lines.mjs';
import type { Arbitrary } from './arbitrary.js';

/** How often something ran that no name may reach. */
let trespasses = 0;
const trespass = (): void => void trespasses++;
/** The names that a request may reach. None of these handlers does anything that could fail. */
const HANDLERS: Readonly<Record<'call' | 'cast', ReadonlySet<unknown>>> = {
  call: new Set(['take', 'checked', 'ping']),
  cast: new Set(['give', 'note']),
};

abstract class Target extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() ping() {
    return reply('pong');
  }
  @HandleCall() take(...args: unknown[]) {
    return reply(args.length, this.state + 1);
  }
  @HandleCall({ schema: z.strictObject({ id: z.string().max(5) }) }) checked(_given: { id: string }) {
    return reply('ok');
  }
  @HandleCast() give(..._args: unknown[]) {
    return noReply(this.state + 1);
  }
  @HandleCast({ schema: [z.number(), z.array(z.unknown()).max(3).optional()] }) note(by: number, _more?: unknown[]) {
    return noReply(this.state + (by === 0 ? 0 : 1));
  }
  @HandleInfo('onTick') protected tick() {
    return noReply();
  }
  @HandleContinue('more') protected onMore() {
    trespass();
    return noReply();
  }
  undecorated() {
    trespass();
    return reply(1);
  }
  protected hidden() {
    trespass();
    this.#private();
  }
  #private() {
    trespass();
  }
  get lever() {
    trespass();
    return 1;
  }
  override codeChange() {
    trespass();
    return ok(0);
  }
  override onConfigChange() {
    trespass();
    return noReply();
  }
  override terminate() {
    trespass();
  }
}

@GenServer()
class Keep extends Target {}
@GenServer({ start: 'on_demand' })
class Tower extends Target {}
const TOWERS = getDynamicSupervisorToken(Tower);

@Module({ imports: [GenServerModule.forRoot({ onTreeExit: 'keep' })], providers: [Keep, Tower] })
class FuzzModule {}

/** What went wrong. */
export interface Findings {
  crashes: number;
  undecorated: number;
  /** What should not have happened, in words: the first few. */
  readonly surprises: string[];
}

/** An application whose servers are sent anything under any name. */
export class DispatchTarget {
  static readonly classes: readonly object[] = [
    Target,
    Target.prototype,
    Keep.prototype,
    Tower.prototype,
    GenServerBase.prototype,
  ];
  private crashes = 0;
  private readonly surprises: string[] = [];

  private constructor(
    private readonly runtime: GenServerRuntime,
    private readonly clients: readonly Record<string | symbol, unknown>[],
    private readonly destinations: readonly Destination[],
    private readonly close: () => Promise<void>,
  ) {
    trespasses = 0;
    runtime.events$.subscribe((event) => {
      if (event.type !== 'gen_server.crashed' && event.type !== 'supervisor.restarts_exceeded') return;
      this.crashes++;
      this.surprise(`${event.type}: ${event.reason instanceof Error ? event.reason.stack : String(event.reason)}`);
    });
  }

  static async start(): Promise<DispatchTarget> {
    const app = await NestFactory.createApplicationContext(FuzzModule, { logger: droppedLines });
    const runtime = app.get(GenServerRuntime);
    const towers = app.get<DynamicSupervisorClient<Tower>>(TOWERS);
    const tower = await towers.getOrStart('tower');
    const keep = runtime.client(Keep, Keep);
    const clients = [keep, keep.with({ timeoutMs: 1_000 }), tower, towers.client('tower')];
    return new DispatchTarget(
      runtime,
      clients as never,
      [Keep, tower, runtime.whereis(Keep)!, { server: Tower, key: 'tower' }],
      () => app.close(),
    );
  }

  async request(of: Arbitrary): Promise<void> {
    const way = of.upTo(9);
    if (way < 4) await this.byName('call', of);
    else if (way < 7) await this.byName('cast', of);
    else if (way === 7) await this.byClient(of);
    else if (way === 8) this.runtime.send(of.pick(this.destinations), of.chance(0.5) ? of.json(3) : of.hostile());
    else await this.astray(of);
  }

  async end(): Promise<Findings> {
    for (const destination of this.destinations) {
      const answer = await this.runtime.call(destination, 'ping').catch((error: unknown) => error);
      if (answer !== 'pong') this.surprise(`a server does not answer any more: ${String(answer)}`);
    }
    if (!this.runtime.isReady) this.crashes++;
    const undecorated = trespasses; // from now on `terminate` runs, and may
    await this.close();
    return { crashes: this.crashes, undecorated, surprises: this.surprises };
  }

  private async byName(kind: 'call' | 'cast', of: Arbitrary): Promise<void> {
    const name = of.name();
    const destination = of.pick(this.destinations);
    const code = await codeOf(() => this.runtime[kind](destination, name as string, of.args()));
    const expected: readonly unknown[] = HANDLERS[kind].has(name)
      ? [undefined, 'ARGUMENTS_REFUSED']
      : ['UNKNOWN_HANDLER'];
    if (!expected.includes(code)) this.surprise(`${kind} of ${typeof name}: ${String(code)}`);
  }

  /** As code does that takes the name of a method from outside. */
  private async byClient(of: Arbitrary): Promise<void> {
    const client = of.pick(this.clients);
    const name = of.pick([...Reflect.ownKeys(client), of.name()]);
    if (typeof name !== 'string' && typeof name !== 'symbol') return;
    // These change the client itself, as they would any object; an application that calls them by a name from outside is beyond help.
    if (name === '__proto__' || String(name).startsWith('__define')) return;
    const member = client[name];
    if (typeof member === 'function' && name !== 'constructor' && name !== 'with') {
      await codeOf(() => (member as (...args: unknown[]) => unknown).apply(client, of.args()));
    }
  }

  /** To values that are no destination. */
  private async astray(of: Arbitrary): Promise<void> {
    const nowhere = of.hostile() as Destination;
    const code = await codeOf(() => this.runtime.call(nowhere, 'take', []));
    if (code === undefined) this.surprise(`a call went astray and was answered`);
    await codeOf(() => this.runtime.cast(nowhere, 'give', []));
  }

  private surprise(what: string): void {
    if (this.surprises.length < 10) this.surprises.push(what);
  }
}

/** The code of what an action fails with; undefined when it does not. */
async function codeOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code ?? 'no code';
  }
}

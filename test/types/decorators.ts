import {
  Down,
  Exit,
  GenServer,
  GenServerBase,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  noReply,
  reply,
  Timeout,
} from 'nestjs-genserver';

class Deposited {
  constructor(readonly amount: number) {}
}
abstract class Money {
  abstract readonly amount: number;
}
const symbolTag = Symbol('tag');

// --- the parameter of an info handler ------------------------------------------------------------------------------------

@GenServer()
export class Infos extends GenServerBase<number> {
  @HandleInfo(Down) protected down(down: Down) {
    return noReply(down.ref.id);
  }
  @HandleInfo(Down) protected downUnread() {
    return noReply();
  }
  @HandleInfo(Down) protected downAsLess(down: { readonly reason: unknown }) {
    return down.reason === 'normal' ? noReply() : noReply(0);
  }
  @HandleInfo(Exit) protected async exit(_exit: Exit) {
    return noReply();
  }
  @HandleInfo(Timeout) protected timeout() {
    return noReply();
  }
  @HandleInfo(Deposited) protected deposited({ amount }: Deposited) {
    return noReply(amount);
  }
  @HandleInfo(Money) protected money({ amount }: Money) {
    return noReply(amount);
  }
  @HandleInfo('tick') protected tick(_message: 'tick') {
    return noReply();
  }
  @HandleInfo('order') protected order(message: { type: 'order'; total: number }) {
    return noReply(message.total);
  }
  @HandleInfo(symbolTag) protected tagged() {
    return noReply();
  }
  @HandleInfo() protected rest(_message: unknown) {
    return noReply();
  }
  // One method may take several messages.
  @HandleInfo('a')
  @HandleInfo('b')
  protected several() {
    return noReply();
  }

  // @ts-expect-error it gets a Down
  @HandleInfo(Down)
  protected wrongMessage(_message: RegExp) {
    return noReply();
  }

  // @ts-expect-error a Deposited has no owner
  @HandleInfo(Deposited)
  protected wantsMore(_message: Deposited & { owner: string }) {
    return noReply();
  }

  // @ts-expect-error an info handler gets the message and nothing else
  @HandleInfo(Deposited)
  protected twoParameters(_message: Deposited, _more: number) {
    return noReply();
  }

  // @ts-expect-error a number is no tag
  @HandleInfo(5)
  protected wrongTag() {
    return noReply();
  }

  // @ts-expect-error a continue needs a tag
  @HandleContinue()
  protected untagged() {
    return noReply();
  }
}

// --- names that a client or Nest would take for something else -----------------------------------------------------------

@GenServer()
export class ReservedNames extends GenServerBase<number> {
  // @ts-expect-error a client with it would be taken for a promise
  @HandleCall() then() {
    return reply(1);
  }
  // @ts-expect-error likewise
  @HandleCast() catch() {
    return noReply();
  }
  // @ts-expect-error likewise
  @HandleCall() finally() {
    return reply(1);
  }
  // @ts-expect-error every client has a method of that name
  @HandleCall() with() {
    return reply(1);
  }
  // @ts-expect-error whoever serialises a client would call it
  @HandleCall() toJSON() {
    return reply(1);
  }
  // @ts-expect-error printing a client would call it
  @HandleCall() toString() {
    return reply(1) as never;
  }
  // @ts-expect-error a callback of every server
  @HandleCall() codeChange() {
    return reply(1);
  }
  // @ts-expect-error a hook of Nest
  @HandleCall() onModuleInit() {
    return reply(1);
  }
  // @ts-expect-error likewise
  @HandleCast() onModuleDestroy() {
    return noReply();
  }
  // @ts-expect-error likewise
  @HandleCall() onApplicationBootstrap() {
    return reply(1);
  }
  // @ts-expect-error likewise
  @HandleCall() beforeApplicationShutdown() {
    return reply(1);
  }
  // @ts-expect-error likewise
  @HandleCast() onApplicationShutdown() {
    return noReply();
  }
}

@GenServer()
export class Terminating extends GenServerBase<number> {
  // @ts-expect-error last words are no handler
  @HandleCast() override terminate() {
    return noReply() as never;
  }
}

@GenServer()
export class FormattingStatus extends GenServerBase<number> {
  // @ts-expect-error nor is what logs may show
  @HandleCall() override formatStatus() {
    return reply(1);
  }
}

// --- where decorators may stand ------------------------------------------------------------------------------------------

export class NoServer {
  // @ts-expect-error it does not extend GenServerBase
  @HandleCall()
  get() {
    return reply(1);
  }
}

@GenServer()
export class Places extends GenServerBase<number> {
  // @ts-expect-error a property is no method
  @HandleCall() property = () => reply(1);

  @HandleCall({ timeoutMs: Infinity }) patient() {
    return reply(1);
  }
  // @ts-expect-error durations are numbers and their names end in Ms
  @HandleCall({ timeout: 5 }) wrongOption() {
    return reply(1);
  }
  @HandleCall() [symbolTag]() {
    return reply(1);
  }
}

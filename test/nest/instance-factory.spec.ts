import { Inject, Injectable, Optional, Scope } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { GenServer, GenServerBase, GenServerRuntime, HandleCast, noReply, ok } from 'nestjs-genserver';
import { settle } from '../support/manual-clock.js';
import { moduleOf, started } from './support/application.js';

@Injectable()
class Prices {}

@Injectable({ scope: Scope.TRANSIENT })
class Basket {}

/** Starts a server, crashes it twice, and gives its three instances. */
async function threeLives<T extends GenServerBase<null>>(
  server: new (...args: never[]) => T,
  lives: T[],
): Promise<T[]> {
  const providers = [Prices, Basket, { provide: 'vat', useValue: 20 }, server];
  const application = await started({ imports: [moduleOf('ShopModule', { providers })] });
  const runtime = application.get(GenServerRuntime);
  for (let at = 0; at < 2; at++) {
    runtime.cast(server, 'crash');
    await settle();
  }
  // The first is the one that Nest makes of any provider, and that never becomes a process.
  expect(lives).toHaveLength(4);
  return lives.slice(1);
}

describe('the instance of an incarnation', () => {
  it('is a new one each time, with the same singletons in its constructor and its properties', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends GenServerBase<null> {
      @Inject('vat') readonly vat!: number;
      @Inject(Prices) readonly args!: Prices;

      constructor(
        readonly prices: Prices,
        readonly modules: ModuleRef,
        @Optional() @Inject('nothing') readonly nothing: unknown,
      ) {
        super();
        lives.push(this);
      }
      override init() {
        return ok(null);
      }
      @HandleCast() crash() {
        throw new Error('boom');
        return noReply();
      }
    }
    const tills = await threeLives(Till, lives);
    expect(new Set(tills).size).toBe(3);
    for (const { vat, args, prices, modules, nothing, constructor } of tills) {
      expect([vat, args, nothing, constructor]).toEqual([20, tills[0]!.prices, undefined, Till]);
      expect(prices).toBe(tills[0]!.prices);
      expect(modules).toBeInstanceOf(ModuleRef);
    }
  });

  it('gets transient dependencies of its own, one of each as Nest has it', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends GenServerBase<null> {
      @Inject(Basket) readonly second!: Basket;

      constructor(
        readonly prices: Prices,
        readonly first: Basket,
      ) {
        super();
        lives.push(this);
      }
      override init() {
        return ok(null);
      }
      @HandleCast() crash() {
        throw new Error('boom');
        return noReply();
      }
    }
    const tills = await threeLives(Till, lives);
    expect(new Set(tills.flatMap(({ first, second }) => [first, second])).size).toBe(3);
    expect(new Set(tills.map(({ prices }) => prices)).size).toBe(1);
  });

  it('knows a dependency from its namesake in a module that is imported by an import only', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends GenServerBase<null> {
      constructor(@Inject('basket') readonly basket: Basket) {
        super();
        lives.push(this);
      }
      override init() {
        return ok(null);
      }
      @HandleCast() crash() {
        throw new Error('boom');
        return noReply();
      }
    }
    const shared = { providers: [{ provide: 'basket', useValue: new Basket() }], exports: ['basket'] };
    const own = {
      providers: [{ provide: 'basket', useClass: Basket, scope: Scope.TRANSIENT }],
      exports: ['basket'],
    };
    const hidden = moduleOf('HidingModule', { imports: [moduleOf('HiddenModule', shared)] });
    const imports = [hidden, moduleOf('BasketModule', own)];
    const application = await started({ imports: [moduleOf('ShopModule', { imports, providers: [Till] })] });
    for (let at = 0; at < 2; at++) {
      application.get(GenServerRuntime).cast(Till, 'crash');
      await settle();
    }
    expect(new Set(lives.slice(1).map(({ basket }) => basket)).size).toBe(3);
  });
});

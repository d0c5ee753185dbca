import { Inject, Injectable, Optional, Scope } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { GenServer } from 'nestjs-genserver';
import { moduleOf } from './support/application.js';
import { Mortal, threeLives } from './support/mortal.js';

@Injectable()
class Prices {}

@Injectable({ scope: Scope.TRANSIENT })
class Basket {}

/** What any of the servers may ask for. */
const providers = [Prices, Basket, { provide: 'vat', useValue: 20 }];

describe('the instance of an incarnation', () => {
  it('is a new one each time, with the same singletons in its constructor and its properties', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends Mortal {
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
    }
    const tills = await threeLives(Till, lives, { providers });
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
    class Till extends Mortal {
      @Inject(Basket) readonly second!: Basket;

      constructor(
        readonly prices: Prices,
        readonly first: Basket,
      ) {
        super();
        lives.push(this);
      }
    }
    const tills = await threeLives(Till, lives, { providers });
    expect(new Set(tills.flatMap(({ first, second }) => [first, second])).size).toBe(3);
    expect(new Set(tills.map(({ prices }) => prices)).size).toBe(1);
  });

  it('knows a dependency from its namesake in a module that is imported by an import only', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends Mortal {
      constructor(@Inject('basket') readonly basket: Basket) {
        super();
        lives.push(this);
      }
    }
    const shared = { providers: [{ provide: 'basket', useValue: new Basket() }], exports: ['basket'] };
    const own = {
      providers: [{ provide: 'basket', useClass: Basket, scope: Scope.TRANSIENT }],
      exports: ['basket'],
    };
    const hidden = moduleOf('HidingModule', { imports: [moduleOf('HiddenModule', shared)] });
    const imports = [hidden, moduleOf('BasketModule', own)];
    const tills = await threeLives(Till, lives, { imports });
    expect(new Set(tills.map(({ basket }) => basket)).size).toBe(3);
  });
});

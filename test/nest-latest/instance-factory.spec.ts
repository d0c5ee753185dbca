import { Inject, Injectable, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { GenServer } from 'nestjs-genserver';
import { Mortal, threeLives } from '../nest/support/mortal.js';

@Injectable({ scope: Scope.TRANSIENT })
class Basket {}

describe('the instance of an incarnation', () => {
  // Nest 12.2 takes an alias for a provider of its own, which gives everybody the same.
  it('gets a transient dependency of its own also by another name of it', async () => {
    const lives: Till[] = [];
    @GenServer()
    class Till extends Mortal {
      constructor(@Inject('basket') readonly basket: Basket) {
        super();
        lives.push(this);
      }
    }
    const providers = [Basket, { provide: 'basket', useExisting: Basket }];
    const tills = await threeLives(Till, lives, { providers });
    expect(new Set(tills.map(({ basket }) => basket)).size).toBe(3);
  });
});

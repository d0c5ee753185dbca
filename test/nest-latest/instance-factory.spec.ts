import { Inject, Injectable, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { GenServer, GenServerBase, GenServerRuntime, HandleCast, noReply, ok } from 'nestjs-genserver';
import { moduleOf, started } from '../nest/support/application.js';
import { settle } from '../support/manual-clock.js';

@Injectable({ scope: Scope.TRANSIENT })
class Basket {}

describe('the instance of an incarnation', () => {
  // Nest 12.2 takes an alias for a provider of its own, which gives everybody the same.
  it('gets a transient dependency of its own also by another name of it', async () => {
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
    const providers = [Basket, { provide: 'basket', useExisting: Basket }, Till];
    const application = await started({ imports: [moduleOf('ShopModule', { providers })] });
    for (let at = 0; at < 2; at++) {
      application.get(GenServerRuntime).cast(Till, 'crash');
      await settle();
    }
    expect(new Set(lives.slice(1).map(({ basket }) => basket)).size).toBe(3);
  });
});

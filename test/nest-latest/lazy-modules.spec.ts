import { LazyModuleLoader } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerRuntime,
  HandleCall,
  ok,
  provideGenServer,
  reply,
  StartError,
} from 'nestjs-genserver';
import { moduleOf, started } from '../nest/support/application.js';

describe('provideGenServer in a lazy module', () => {
  // Nest before 12.5 keeps a module whose load has failed, and never makes its providers.
  it('starts when the load is tried again after it had failed', async () => {
    let isBroken = true;
    @GenServer()
    class Fragile extends GenServerBase<string> {
      override init() {
        if (isBroken) throw new Error('no disk');
        return ok('mended');
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    const application = await started({});
    const LazyModule = moduleOf('LazyModule', { providers: [provideGenServer(Fragile, { name: 'fragile' })] });
    const load = () => application.get(LazyModuleLoader).load(() => LazyModule, { logger: false });
    await expect(load()).rejects.toBeInstanceOf(StartError);
    isBroken = false;
    await load();
    expect(await application.get(GenServerRuntime).call('fragile', 'read')).toBe('mended');
  });
});

import { Inject, Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerRuntime,
  getGenServerToken,
  getRegistryToken,
  HandleCall,
  InjectRegistry,
  ok,
  provideRegistry,
  Registry,
  reply,
} from 'nestjs-genserver';
import { compiled, moduleOf, started } from './support/application.js';

@GenServer()
class Member extends GenServerBase<null> {
  constructor(@InjectRegistry('members') private readonly members: Registry<string, number>) {
    super();
  }

  override init() {
    this.members.register(this.self, 'ann', 1);
    return ok(null);
  }

  @HandleCall()
  promote() {
    return reply(this.members.updateValue(this.self, 'ann', (rank) => rank + 1)?.newValue);
  }

  @HandleCall()
  crash() {
    throw new Error('boom');
    return reply(null);
  }
}

@Injectable()
class Directory {
  @InjectRegistry('members') readonly byProperty!: Registry<string, number>;

  constructor(@InjectRegistry('members') readonly members: Registry<string, number>) {}
}

const Members = () => moduleOf('Members', { providers: [provideRegistry('members', { keys: 'unique' }), Member] });

describe('@InjectRegistry', () => {
  it('injects the registry that a module provides, wherever it is asked for (N7, N8)', async () => {
    const app = await started({ imports: [Members(), moduleOf('Web', { providers: [Directory] })] });
    const { members, byProperty } = app.get(Directory, { strict: false });
    expect(members).toBeInstanceOf(Registry);
    expect(byProperty).toBe(members);
    expect(app.get(getRegistryToken('members'), { strict: false })).toBe(members);
    const runtime = app.get(GenServerRuntime);
    expect(members.lookup('ann')).toEqual([{ pid: runtime.whereis(Member), value: 1 }]);
    const member = app.get<GenServerClient<Member>>(getGenServerToken(Member));
    expect(await member.promote()).toBe(2);
    expect(await runtime.call({ via: members, key: 'ann' }, 'promote')).toBe(3);
  });

  it('shows the next incarnation after a crash, and nobody after the end (N8)', async () => {
    const app = await started({ imports: [Members()], providers: [Directory] });
    const { members } = app.get(Directory);
    const member = app.get<GenServerClient<Member>>(getGenServerToken(Member));
    const first = members.whereisName('ann')!;
    await expect(member.crash()).rejects.toThrow();
    expect(await member.promote()).toBe(2);
    const second = members.whereisName('ann')!;
    expect(second).toMatchObject({ id: first.id, incarnation: 1 });
    await app.close();
    expect([members.count(), members.lookup('ann')]).toEqual([0, []]);
  });

  it('injects a registry without a server in the application, and a test double in its place', async () => {
    const double = { lookup: () => [] };
    const app = await started({
      imports: [moduleOf('Registries', { providers: [provideRegistry('members', { keys: 'duplicate' })] })],
      providers: [Directory],
    });
    expect(app.get(Directory).members.keys).toBe('duplicate');
    const doubled = await started({
      imports: [Members()],
      providers: [
        { provide: 'USER', inject: [getRegistryToken('members')], useFactory: (members: unknown) => members },
      ],
      override: (builder) =>
        builder
          .overrideProvider(getRegistryToken('members'))
          .useValue(double)
          .overrideProvider(getGenServerToken(Member))
          .useValue({})
          .overrideProvider(Member)
          .useValue({}),
    });
    expect(doubled.get('USER')).toBe(double);
  });

  it('is separate for every application', async () => {
    const [one, two] = [await started({ imports: [Members()] }), await started({ imports: [Members()] })];
    const token = getRegistryToken('members');
    const [first, second] = [one.get<Registry>(token, { strict: false }), two.get<Registry>(token, { strict: false })];
    expect(first).not.toBe(second);
    expect([first.count(), second.count()]).toEqual([1, 1]);
  });

  it('says who asks for a registry that nobody provides', async () => {
    await expect(compiled({ imports: [moduleOf('Web', { providers: [Directory] })] })).rejects.toMatchObject({
      code: 'GEN_SERVER_CONFIG',
      mistake: 'not_provided',
      message:
        "property byProperty of Directory in Web injects the registry 'members', but no module provides it. " +
        "Add provideRegistry('members', { keys: 'unique' }) to the providers of a module of this application.",
    });
  });

  it('refuses two registries of one name, naming both modules, but not one that two modules list', async () => {
    const twice = ['One', 'Two'].map((name) =>
      moduleOf(name, { providers: [provideRegistry('rooms', { keys: 'unique' })] }),
    );
    await expect(compiled({ imports: twice })).rejects.toMatchObject({
      mistake: 'name_taken',
      message: expect.stringContaining("The name registry 'rooms' is wanted twice, by One and by Two."),
    });
    const shared = provideRegistry('rooms', { keys: 'unique' });
    const imports = ['One', 'Two'].map((name) => moduleOf(name, { providers: [shared] }));
    await expect(compiled({ imports })).resolves.toBeDefined();
  });

  it('is asked for by a factory with its token', async () => {
    @Injectable()
    class User {
      constructor(@Inject('REGISTRY') readonly registry: Registry) {}
    }
    const app = await started({
      imports: [Members()],
      providers: [
        { provide: 'REGISTRY', inject: [getRegistryToken('members')], useFactory: (registry: Registry) => registry },
        User,
      ],
    });
    expect(app.get(User).registry.name).toBe('members');
  });
});

import type { Type } from '@nestjs/common';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { findDependencies, wantsInjection } from './dependency.finder.js';
import { moduleRefOf, type NestModule } from './nest-container.js';

type ServerType = Type<GenServerBase<unknown>>;

/** What Nest injects into an instance. */
interface Injection {
  readonly args: readonly unknown[];
  readonly properties: Readonly<Record<string | symbol, unknown>>;
  readonly hasProperties: boolean;
}

/** A key that no user-defined property can have. */
const ARGUMENTS = Symbol('arguments');

/** For a class without dependencies: Nest need not be asked. */
const NOTHING: Injection = { args: [], properties: {}, hasProperties: false };

type Recording = Injection['properties'] & { readonly [ARGUMENTS]: readonly unknown[] };

/**
 * Creates the instances of a server class, one per incarnation. Nest resolves their dependencies. If all of them are singletons, they
 * are the same for every instance, so Nest is asked once: it takes several microseconds, and a keyed server starts thousands of times.
 * With a transient dependency Nest is asked each time, since every instance gets its own.
 */
export class InstanceFactory {
  private injection: Injection | undefined;

  constructor(
    private readonly type: ServerType,
    private readonly module: NestModule,
  ) {}

  create(): GenServerBase<unknown> | Promise<GenServerBase<unknown>> {
    return this.injection === undefined ? this.createWithNest() : this.createWith(this.injection);
  }

  private createWith({ args, properties, hasProperties }: Injection): GenServerBase<unknown> {
    const { type } = this;
    const instance = new type(...(args as []));
    return hasProperties ? Object.assign(instance, properties) : instance;
  }

  private createWithNest(): GenServerBase<unknown> | Promise<GenServerBase<unknown>> {
    if (!wantsInjection(this.type)) {
      this.injection = NOTHING;
      return new this.type();
    }
    return this.createInjected();
  }

  private async createInjected(): Promise<GenServerBase<unknown>> {
    const moduleRef = moduleRefOf(this.module);
    const dependencies = findDependencies(this.type, this.module);
    const isShared = dependencies.every((provider) => !provider.isTransient && provider.isDependencyTreeStatic());
    if (!isShared) return moduleRef.create(this.type);
    const { [ARGUMENTS]: args, ...properties } = await moduleRef.create(recorderOf(this.type));
    this.injection = { args, properties, hasProperties: Reflect.ownKeys(properties).length > 0 };
    return this.createWith(this.injection);
  }
}

/** A class with the same dependencies as `type`, which keeps them instead of being a server. */
function recorderOf(type: ServerType): Type<Recording> {
  class Recorder {
    readonly [ARGUMENTS]: readonly unknown[];

    constructor(...args: unknown[]) {
      this[ARGUMENTS] = args;
    }
  }
  // Decorator metadata of the class is found through its prototype, and messages use its name.
  Object.setPrototypeOf(Recorder, type);
  Object.defineProperty(Recorder, 'name', { value: type.name });
  return Recorder as never;
}

import { Inject } from '@nestjs/common';

/** A place where something is injected. */
export interface InjectionConsumer {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a class, as decorators see it
  readonly target: Function;
  readonly where: string;
  /** Whether it can do without: `@Optional()`, which may be applied after our own decorator. */
  isOptional(): boolean;
}

/** Something that is to be injected, with everybody who asked for it by a decorator. */
export interface InjectionRequest {
  readonly token: symbol;
  readonly consumers: readonly InjectionConsumer[];
}

/** Where Nest's `@Optional()` keeps what it was told. */
const OPTIONAL_PARAMETERS = 'optional:paramtypes';
const OPTIONAL_PROPERTIES = 'optional:properties_metadata';

/**
 * Everything of one kind that is to be injected, with one token for each. Decorators ask for it before any application exists. Only
 * tokens are kept here, never anything of an application, so that two applications in one Node process do not meet.
 */
export class InjectionRequests<T extends object> {
  private readonly requests = new Map<unknown, T & { token: symbol; consumers: InjectionConsumer[] }>();

  /** @param describe  Names the token, for Nest's messages. */
  constructor(private readonly describe: (wanted: T) => string) {}

  /** The token of what goes by `key`. Who has it may inject it without a decorator, as a factory does. */
  tokenOf(key: unknown, wanted: T): symbol {
    return this.request(key, wanted).token;
  }

  /** Injects what goes by `key`, and remembers where. */
  decorator(key: unknown, wanted: T): ParameterDecorator & PropertyDecorator {
    const { token, consumers } = this.request(key, wanted);
    return (target: object, property: string | symbol | undefined, index?: number) => {
      consumers.push(consumerAt(target, property, index));
      Inject(token)(target, property, index!);
    };
  }

  /** Everything that was asked for so far. */
  all(): readonly (T & InjectionRequest)[] {
    return [...this.requests.values()];
  }

  private request(key: unknown, wanted: T): T & { token: symbol; consumers: InjectionConsumer[] } {
    let request = this.requests.get(key);
    if (request === undefined) {
      request = { ...wanted, token: Symbol(this.describe(wanted)), consumers: [] };
      this.requests.set(key, request);
    }
    return request;
  }
}

function consumerAt(
  target: object,
  property: string | symbol | undefined,
  index: number | undefined,
): InjectionConsumer {
  const type = (typeof target === 'function' ? target : target.constructor) as () => void;
  const [metadata, place] = index === undefined ? [OPTIONAL_PROPERTIES, property] : [OPTIONAL_PARAMETERS, index];
  return {
    target: type,
    where: index === undefined ? `property ${String(property)}` : `parameter ${index + 1} of the constructor`,
    isOptional: () => (Reflect.getMetadata(metadata, type) as unknown[] | undefined)?.includes(place) ?? false,
  };
}

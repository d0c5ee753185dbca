import { Inject } from '@nestjs/common';
import { keepFor, WeakList } from './weak-list.js';

/** A place where something is injected. */
export interface InjectionConsumer {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a class, as decorators see it
  readonly target: Function;
  readonly where: string;
  /** Whether the dependency is optional: `@Optional()`, which may be applied after our own decorator. */
  isOptional(): boolean;
}

/** Something to be injected, with all consumers that requested it by a decorator. */
export interface InjectionRequest {
  readonly token: symbol;
  readonly consumers: readonly InjectionConsumer[];
}

/** The metadata key under which Nest's `@Optional()` keeps its parameters. */
const OPTIONAL_PARAMETERS = 'optional:paramtypes';
const OPTIONAL_PROPERTIES = 'optional:properties_metadata';

/**
 * Everything of one kind that is to be injected, with one token for each. Decorators ask for it before any application exists. Only
 * tokens are kept here, never anything of an application, so that two applications in one Node process do not meet. No class is kept
 * alive either: a request lives as long as its key, or a class that asked for it.
 */
export class InjectionRequests<T extends object> {
  private readonly requests = new WeakList<Request<T>>();
  private readonly byObject = new WeakMap<object, Request<T>>();
  private readonly byText = new Map<string, Request<T>>();

  /** @param describe  Names the token, for Nest's messages. */
  constructor(private readonly describe: (wanted: T) => string) {}

  /** The token for `key`. Code that has it may inject it without a decorator, as a factory does. */
  tokenOf(key: object | string, wanted: T): symbol {
    return this.request(key, wanted).token;
  }

  /** Injects the provider for `key`, and remembers where. */
  decorator(key: object | string, wanted: T): ParameterDecorator & PropertyDecorator {
    const request = this.request(key, wanted);
    return (target: object, property: string | symbol | undefined, index?: number) => {
      const consumer = consumerAt(target, property, index);
      request.places.add(consumer);
      keepFor(consumer.target, consumer);
      keepFor(consumer.target, request);
      Inject(request.token)(target, property, index!);
    };
  }

  /** The request for `key`. */
  get(key: object | string, wanted: T): T & InjectionRequest {
    return this.request(key, wanted);
  }

  /** All requests so far that may still be injected. */
  all(): readonly (T & InjectionRequest)[] {
    return this.requests.all();
  }

  private request(key: object | string, wanted: T): Request<T> {
    let request = typeof key === 'string' ? this.byText.get(key) : this.byObject.get(key);
    if (request === undefined) {
      request = makeRequest(wanted, Symbol(this.describe(wanted)));
      if (typeof key === 'string') this.byText.set(key, request);
      else this.byObject.set(key, request);
      this.requests.add(request);
    }
    return request;
  }
}

type Request<T> = T & InjectionRequest & { readonly places: WeakList<InjectionConsumer> };

function makeRequest<T extends object>(wanted: T, token: symbol): Request<T> {
  const places = new WeakList<InjectionConsumer>();
  return {
    ...wanted,
    token,
    places,
    get consumers() {
      return places.all();
    },
  };
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

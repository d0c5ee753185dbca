import type { Type } from '@nestjs/common';
import { walkPrototypes } from '../../runtime/prototype-chain.js';
import type { SecretArguments } from '../../runtime/secrets/redaction.js';

// A registered symbol: two installed copies of the package understand each other's decorators.
const SECRET_ARGUMENTS = Symbol.for('nestjs-genserver.secret_arguments');

type Store = Map<string | symbol, 'all' | Set<number>>;

/** Remembers which arguments of a method are secret. */
export function markSecretArguments(prototype: object, method: string | symbol, which: 'all' | number): void {
  if (!Object.hasOwn(prototype, SECRET_ARGUMENTS)) {
    Object.defineProperty(prototype, SECRET_ARGUMENTS, { value: new Map() as Store });
  }
  const store = (prototype as { [SECRET_ARGUMENTS]: Store })[SECRET_ARGUMENTS];
  const present = store.get(method);
  if (which === 'all' || present === 'all') store.set(method, 'all');
  else store.set(method, new Set([...(present ?? []), which]));
}

/** The arguments of a handler that the class, or one it extends, marks as secret: an override does not make them public. */
export function secretArgumentsOf(type: Type, method: string | symbol): SecretArguments | undefined {
  const places = new Set<number>();
  const all = walkPrototypes(type.prototype as object, (prototype) => {
    if (!Object.hasOwn(prototype, SECRET_ARGUMENTS)) return undefined;
    const here = (prototype as { [SECRET_ARGUMENTS]: Store })[SECRET_ARGUMENTS].get(method);
    if (here === 'all') return here;
    for (const place of here ?? []) places.add(place);
    return undefined;
  });
  return all ?? (places.size === 0 ? undefined : places);
}

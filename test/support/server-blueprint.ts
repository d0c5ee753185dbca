import type { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
  type ServerBlueprint,
} from '../../lib/gen-server/definition/server-definition.js';

export interface HandlerNames {
  readonly calls?: readonly string[];
  readonly casts?: readonly string[];
  readonly continues?: readonly string[];
  readonly infos?: ReadonlyArray<readonly [tag: Parameters<InfoHandlers['add']>[0], method: string]>;
  /** Parts of the definition that the test wants otherwise. */
  readonly definition?: Partial<ServerDefinition>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever its state
type AnyServer = new () => GenServerBase<any>;

/** What a decorated class is compiled to, without the decorators. */
export function blueprintOfClass(Server: AnyServer, names: HandlerNames = {}): ServerBlueprint {
  const method = (name: string) => (Server.prototype as unknown as Record<string, HandlerMethod>)[name]!;
  const handlers = (keys: readonly string[] = []) => new Map(keys.map((key) => [key, new Handler(key, method(key))]));
  const infos = new InfoHandlers();
  for (const [tag, key] of names.infos ?? []) infos.add(tag, new Handler(key, method(key)));
  const definition: ServerDefinition = {
    label: Server.name,
    calls: handlers(names.calls),
    casts: handlers(names.casts),
    continues: handlers(names.continues),
    infos,
    isReplyError: () => false,
    ...names.definition,
  };
  return { definition, create: () => new Server() };
}

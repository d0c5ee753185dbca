import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { defineHandler, type MessageClass } from '../discovery/gen-server-metadata.accessor.js';
import type { CastDescriptor } from './handler-types.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- any server and, for tags, any message */

type InfoDecorator<M> = <T extends GenServerBase<any>, F extends (message: M) => unknown>(
  target: T,
  key: string | symbol,
  descriptor: CastDescriptor<T, F>,
) => void;

/**
 * Handles a message that is neither call nor cast: a sent message, a timer's message, `Down`, `Exit`, `Timeout`. The tag is
 * the message itself when that is a string or symbol, the `type` of an object, or the class of the message. The method gets
 * the whole message. It need not be public: it is not on the client.
 *
 * Without a tag it handles every message that no other handler of the class takes. A message without a handler is logged and dropped.
 *
 * @publicApi
 */
export function HandleInfo<M>(tag: abstract new (...args: any[]) => M): InfoDecorator<M>;
export function HandleInfo(tag?: string | symbol): InfoDecorator<any>;
export function HandleInfo(tag?: string | symbol | MessageClass): InfoDecorator<any> {
  return (target, key) => defineHandler(target, key, { kind: 'info', tag });
}

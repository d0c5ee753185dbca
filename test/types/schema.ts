import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  HandleCall,
  HandleCast,
  noReply,
  reply,
  Validated,
} from 'nestjs-genserver';
import { expectType } from './expect-type.js';

const Order = z.object({ id: z.string(), count: z.number().default(1) });
const Length = v.pipe(
  v.string(),
  v.transform((text) => text.length),
); // takes text, gives a number
const Positive = type('number > 0');

@GenServer()
export class Shop extends GenServerBase<number> {
  // A parameter takes what the schema gives, or more.
  @HandleCall({ schema: Order }) place(order: { id: string; count: number }) {
    return reply(order.count);
  }
  @HandleCall({ schema: Order, timeoutMs: 10 }) placeAnything(_order: unknown) {
    return reply(1);
  }
  @HandleCall({ schema: [z.string(), Positive] }) move(to: string, count: number) {
    return reply(to.length + count);
  }
  @HandleCall({ schema: [z.string(), z.number().optional()] }) find(name: string, limit?: number) {
    return reply(name.length + (limit ?? 0));
  }
  @HandleCall({ schema: [] }) ping() {
    return reply('pong');
  }
  @HandleCall({ schema: Order }) unread() {
    return reply(1);
  }
  @HandleCast({ schema: Positive }) add(count: number) {
    return noReply(count);
  }

  // Where a schema gives something else than it takes, the parameter says so, and the client takes what the schema takes.
  @HandleCall({ schema: Length }) measure(length: Validated<typeof Length>) {
    expectType<typeof length extends number ? true : false, true>(true);
    return reply(length + 1);
  }
  @HandleCall({ schema: Order }) order(order: Validated<typeof Order>) {
    const plain: { id: string; count: number } = order;
    return reply(plain.count);
  }
  @HandleCast({ schema: [Length, z.string()] }) note(length: Validated<typeof Length>, _text: string) {
    return noReply(length);
  }

  // @ts-expect-error the schema gives an order
  @HandleCall({ schema: Order })
  wrongParameter(order: { id: number }) {
    return reply(order.id);
  }
  // @ts-expect-error the schema gives a number
  @HandleCall({ schema: Length })
  wrongSide(text: string) {
    return reply(text);
  }
  // @ts-expect-error likewise
  @HandleCast({ schema: Positive })
  wrongCast(count: string) {
    return noReply(count.length);
  }
  // @ts-expect-error nothing ever comes for the second parameter
  @HandleCall({ schema: Order })
  oneMore(order: unknown, more: string) {
    return reply([order, more]);
  }
  // @ts-expect-error the second schema is missing
  @HandleCall({ schema: [z.string()] })
  twoOfOne(first: string, second: number) {
    return reply(first.length + second);
  }
  // @ts-expect-error a function is no schema
  @HandleCall({ schema: (value: unknown) => value })
  noSchema(value: unknown) {
    return reply(value);
  }
}

declare const shop: GenServerClient<Shop>;

expectType<typeof shop.place, (order: { id: string; count: number }) => Promise<number>>(true);
expectType<typeof shop.move, (to: string, count: number) => Promise<number>>(true);
expectType<typeof shop.find, (name: string, limit?: number) => Promise<number>>(true);
expectType<typeof shop.add, (count: number) => void>(true);
expectType<typeof shop.measure, (length: string) => Promise<number>>(true);
expectType<typeof shop.order, (order: { id: string; count?: number | undefined }) => Promise<number>>(true);
expectType<typeof shop.note, (length: string, text: string) => void>(true);
// @ts-expect-error the client takes what the schema takes
void shop.measure(5);

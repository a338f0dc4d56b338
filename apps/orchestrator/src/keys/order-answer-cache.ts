/*
 * The answer cache of orders: the last answers of this process, and with Redis those of all processes.
 *
 * K2  Only answers that are stored, and so never change, are kept; another request under the key is not answered here.
 * K5  An answer past its retention is not given: the order is shown as it is now.
 * K6  Nothing cached, or Redis missing, slow or empty: the database answers.
 * H7  Duplicates that wait in another replica are woken when an answer is published.
 */
import { type AnswerCache, type CachedCall, createLocalAnswersOf, type SettledAnswer } from '@holdfast/idempotency';
import { isPastRetention, type Retention } from './key-retention.ts';
import { PLACE_ORDER } from './key-store.ts';

export interface OrderAnswer {
  /** The order's. */
  id: string;
  body: string;
  claimedAt: Date;
}

type KeyedOrder = Omit<CachedCall, 'operation'>;

export interface OrderAnswerCache {
  find(id: string, order: KeyedOrder): Promise<OrderAnswer | undefined>;
  /** By the raw body of the request, before it is parsed. Only answers of this process. */
  findByRawBody(order: { tenantId: string; key: string; bytes: Buffer }): OrderAnswer | undefined;
  /** Call it only with a stored answer. Does not wait. */
  keep(order: KeyedOrder, answer: OrderAnswer): void;
  /** Returns when a replica may have published the answer, at the latest after `ms`. Undefined without Redis. */
  untilPublished: ((order: KeyedOrder, ms: number) => Promise<void>) | undefined;
}

const INSTANT_LENGTH = new Date(0).toISOString().length;

/** @param shared undefined without Redis */
export function createOrderAnswerCache(
  shared: AnswerCache | undefined,
  retention: Retention,
  now: () => Date,
): OrderAnswerCache {
  const local = createLocalAnswersOf<OrderAnswer>(({ body }) => sizeOf(body));
  const callOf = (order: KeyedOrder): CachedCall => ({ ...order, operation: PLACE_ORDER });
  const current = (answer: OrderAnswer | undefined): OrderAnswer | undefined =>
    answer === undefined || isPastRetention(retention, answer.claimedAt, now()) ? undefined : answer;
  return {
    async find(id, order) {
      const call = callOf(order);
      const own = local.get(call);
      if (own !== undefined) return current(own);
      const recalled = await shared?.recall(call);
      return recalled?.kind === 'completed' ? current(answerIn(id, recalled)) : undefined;
    },
    findByRawBody: ({ tenantId, key, bytes }) =>
      current(local.getByRawBody({ tenantId, key, bytes, operation: PLACE_ORDER })),
    keep(order, answer) {
      local.put(callOf(order), answer);
      const { body, claimedAt } = answer;
      shared?.settle(callOf(order), { kind: 'completed', answer: Buffer.from(claimedAt.toISOString() + body) });
    },
    untilPublished: shared && ((order, ms) => shared.untilSettled(callOf(order), ms)),
  };
}

function answerIn(id: string, { answer }: SettledAnswer): OrderAnswer {
  const text = answer.toString();
  return { id, body: text.slice(INSTANT_LENGTH), claimedAt: new Date(text.slice(0, INSTANT_LENGTH)) };
}

/** In memory: two bytes a character as soon as one of them needs two. */
function sizeOf(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}

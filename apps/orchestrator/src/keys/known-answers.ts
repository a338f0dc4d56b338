/*
 * What has been told under a key, ahead of the database: what this process has told lately, and with Redis what others have.
 *
 * K2  Only answers that are stored, and so never change, are kept; another request under the key is not answered here.
 * K5  An answer past its retention is not either: the order is shown as it is now.
 * K6  Nothing kept, or no Redis, a slow one, or one that has forgotten: the database answers.
 * H7  Duplicates that wait in another replica are woken when an answer is told.
 */
import { type AnswerCache, type CachedCall, createLocalAnswersOf, type SettledAnswer } from '@holdfast/idempotency';
import { isPastRetention, type Retention } from './key-retention.ts';
import { PLACE_ORDER } from './key-store.ts';

export interface KnownAnswer {
  /** The order's. */
  id: string;
  body: string;
  claimedAt: Date;
}

type KeyedOrder = Omit<CachedCall, 'operation'>;

export interface KnownAnswers {
  find(id: string, order: KeyedOrder): Promise<KnownAnswer | undefined>;
  /** Known by the bytes of the request, which need not have been read. Only what this process has told. */
  findUnread(order: { tenantId: string; key: string; bytes: Buffer }): KnownAnswer | undefined;
  /** Call it only with what is stored. Not waited for. */
  keep(order: KeyedOrder, answer: KnownAnswer): void;
  /** Returns when a replica may have told the answer, at the latest after `ms`. Undefined without Redis. */
  untilTold: ((order: KeyedOrder, ms: number) => Promise<void>) | undefined;
}

const INSTANT_LENGTH = new Date(0).toISOString().length;

/** @param shared undefined without Redis */
export function createKnownAnswers(
  shared: AnswerCache | undefined,
  retention: Retention,
  now: () => Date,
): KnownAnswers {
  const local = createLocalAnswersOf<KnownAnswer>(({ body }) => sizeOf(body));
  const callOf = (order: KeyedOrder): CachedCall => ({ ...order, operation: PLACE_ORDER });
  const current = (answer: KnownAnswer | undefined): KnownAnswer | undefined =>
    answer === undefined || isPastRetention(retention, answer.claimedAt, now()) ? undefined : answer;
  return {
    async find(id, order) {
      const call = callOf(order);
      const own = local.get(call);
      if (own !== undefined) return current(own);
      const recalled = await shared?.recall(call);
      return recalled?.kind === 'completed' ? current(answerIn(id, recalled)) : undefined;
    },
    findUnread: ({ tenantId, key, bytes }) =>
      current(local.getByRawBody({ tenantId, key, bytes, operation: PLACE_ORDER })),
    keep(order, answer) {
      local.put(callOf(order), answer);
      const { body, claimedAt } = answer;
      shared?.settle(callOf(order), { kind: 'completed', answer: Buffer.from(claimedAt.toISOString() + body) });
    },
    untilTold: shared && ((order, ms) => shared.untilSettled(callOf(order), ms)),
  };
}

function answerIn(id: string, { answer }: SettledAnswer): KnownAnswer {
  const text = answer.toString();
  return { id, body: text.slice(INSTANT_LENGTH), claimedAt: new Date(text.slice(0, INSTANT_LENGTH)) };
}

/** In memory: two bytes a character as soon as one of them needs two. */
function sizeOf(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}

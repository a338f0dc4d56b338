/*
 * What has been told under a key, ahead of the database: what this process has told lately, and with Redis what others have.
 *
 * K2  Only answers that are stored, and so never change, are kept; another request under the key is not answered here.
 * K5  An answer past its retention is not either: the order is shown as it is now.
 * K6  Nothing kept, or no Redis, a slow one, or one that has forgotten: the database answers.
 * H7  Duplicates that wait in another replica are woken when an answer is told.
 */
import { type AnswerMemory, createLocalAnswers, type Fingerprint, type SettledAnswer } from '@holdfast/idempotency';
import { isPastRetention, type Retention } from './key-retention.ts';
import { PLACE_ORDER } from './key-store.ts';

export interface KnownAnswer {
  body: string;
  claimedAt: Date;
}

interface KeyedOrder {
  tenantId: string;
  key: string;
  fingerprint: Fingerprint;
}

export interface KnownAnswers {
  find(order: KeyedOrder): Promise<KnownAnswer | undefined>;
  /** Call it only with what is stored. Not waited for. */
  keep(order: KeyedOrder, answer: KnownAnswer): void;
  /** Returns when a replica may have told the answer, at the latest after `ms`. Undefined without Redis. */
  untilTold: ((order: KeyedOrder, ms: number) => Promise<void>) | undefined;
}

const INSTANT_LENGTH = new Date(0).toISOString().length;

/** @param shared undefined without Redis */
export function createKnownAnswers(
  shared: AnswerMemory | undefined,
  retention: Retention,
  now: () => Date,
): KnownAnswers {
  const local = createLocalAnswers();
  const callOf = ({ tenantId, key, fingerprint }: KeyedOrder) => ({
    tenantId,
    key,
    operation: PLACE_ORDER,
    fingerprint,
  });
  const read = ({ answer }: SettledAnswer): KnownAnswer | undefined => {
    const text = answer.toString();
    const claimedAt = new Date(text.slice(0, INSTANT_LENGTH));
    return isPastRetention(retention, claimedAt, now()) ? undefined : { body: text.slice(INSTANT_LENGTH), claimedAt };
  };
  return {
    async find(order) {
      const call = callOf(order);
      const own = local.get(call);
      if (own !== undefined) return read(own);
      const recalled = await shared?.recall(call);
      return recalled?.kind === 'executed' ? read(recalled) : undefined;
    },
    keep(order, { body, claimedAt }) {
      const answer: SettledAnswer = { kind: 'executed', answer: Buffer.from(claimedAt.toISOString() + body) };
      local.put(callOf(order), answer);
      shared?.settle(callOf(order), answer);
    },
    untilTold: shared && ((order, ms) => shared.untilSettled(callOf(order), ms)),
  };
}

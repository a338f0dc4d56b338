/*
 * What other replicas have told under a key, from Redis, ahead of the database.
 *
 * K2  Only answers that are stored, and so never change, are shared; another request under the key is not answered here.
 * K5  An answer past its retention is not either: the order is shown as it is now.
 * K6  No Redis, a slow one, or one that has forgotten: the database answers.
 * H7  Duplicates that wait in another replica are woken when an answer is told.
 */
import type { AnswerMemory, Fingerprint } from '@holdfast/idempotency';
import { isPastRetention, type Retention } from './key-retention.ts';
import { PLACE_ORDER } from './key-store.ts';

export interface SharedAnswer {
  body: string;
  claimedAt: Date;
}

interface KeyedOrder {
  tenantId: string;
  key: string;
  fingerprint: Fingerprint;
}

export interface SharedAnswers {
  find(order: KeyedOrder): Promise<SharedAnswer | undefined>;
  /** Not waited for. */
  share(order: KeyedOrder, answer: SharedAnswer): void;
  /** Returns when a replica may have told the answer, at the latest after `ms`. */
  untilTold(order: KeyedOrder, ms: number): Promise<void>;
}

const INSTANT_LENGTH = new Date(0).toISOString().length;

export function createSharedAnswers(memory: AnswerMemory, retention: Retention, now: () => Date): SharedAnswers {
  const callOf = ({ tenantId, key, fingerprint }: KeyedOrder) => ({
    tenantId,
    key,
    operation: PLACE_ORDER,
    fingerprint,
  });
  return {
    async find(order) {
      const recalled = await memory.recall(callOf(order));
      if (recalled?.kind !== 'executed') return undefined;
      const text = recalled.answer.toString();
      const claimedAt = new Date(text.slice(0, INSTANT_LENGTH));
      if (isPastRetention(retention, claimedAt, now())) return undefined;
      return { body: text.slice(INSTANT_LENGTH), claimedAt };
    },
    share(order, { body, claimedAt }) {
      memory.settle(callOf(order), { kind: 'executed', answer: Buffer.from(claimedAt.toISOString() + body) });
    },
    untilTold: (order, ms) => memory.untilSettled(callOf(order), ms),
  };
}

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Rates are from 0 to 1. */
export interface WebhookRates {
  /** Never sent. */
  lost: number;
  /** Sent twice, the second time up to `lateMs` later. */
  doubled: number;
  /** Sent up to `lateMs` later, and so out of order, too. */
  late: number;
  lateMs: number;
  /** Sent, and taken, before the caller of the API gets its own answer. */
  beforeAnswer: number;
}

/** Of one event: how many milliseconds later each copy of it arrives. */
export interface WebhookPlan {
  copies: number[];
  beforeAnswer: boolean;
}

export const NO_WEBHOOK_FAULTS: WebhookRates = { lost: 0, doubled: 0, late: 0, lateMs: 0, beforeAnswer: 0 };

/** Always takes six numbers, in this order. */
export function drawWebhookPlan(stream: RandomGenerator, rates: WebhookRates): WebhookPlan {
  const lost = uniformFloat64(stream) < rates.lost;
  const doubled = uniformFloat64(stream) < rates.doubled;
  const late = uniformFloat64(stream) < rates.late;
  const firstMs = uniformFloat64(stream) * rates.lateMs;
  const secondMs = uniformFloat64(stream) * rates.lateMs;
  const beforeAnswer = uniformFloat64(stream) < rates.beforeAnswer;
  if (lost) return { copies: [], beforeAnswer: false };
  const copies = [late && !beforeAnswer ? firstMs : 0, ...(doubled ? [secondMs] : [])];
  return { copies, beforeAnswer };
}

const RATE = { type: 'number', minimum: 0, maximum: 1 };
export const WEBHOOK_RATES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: Object.keys(NO_WEBHOOK_FAULTS),
  properties: {
    lost: RATE,
    doubled: RATE,
    late: RATE,
    lateMs: { type: 'integer', minimum: 0, maximum: 600_000 },
    beforeAnswer: RATE,
  },
};

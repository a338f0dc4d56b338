/*
 * How long keys and their answers are kept.
 *
 * K5  The end of retention runs nothing again. The key of an order or a refund is kept as long as that. The key of an adjustment goes
 *     after the tombstone window, and its participant keeps the key of the effect itself for ever.
 */
import { isAnswerExpired, isKeyExpired, type RetentionOptions } from '@holdfast/idempotency';
import { PLACE_ORDER, REFUND_ORDER } from './key-store.ts';

export interface Retention {
  /** How long a first answer is replayed byte for byte; afterwards the resource is shown as it is then. */
  keyLifetimeMs: number;
  /** How long a key is kept; an older one that carries its time and is not found is refused. */
  tombstoneLifetimeMs: number;
}

/** When the answer of a key that was claimed then is no longer replayed as it was. */
export function expiresAt(retention: Retention, claimedAt: Date): Date {
  return new Date(claimedAt.getTime() + retention.keyLifetimeMs);
}

/** H15. The clock decides; the sweep only frees the space. */
export function isPastRetention(retention: Retention, claimedAt: Date, now: Date): boolean {
  return isAnswerExpired(claimedAt.getTime(), retention.keyLifetimeMs, now.getTime());
}

const EVERY_MS = { least: 500, most: 6 * 3_600_000 };

/** The rules for the sweep of claims, which frees what is past its retention. */
export function claimRetention({
  keyLifetimeMs,
  tombstoneLifetimeMs,
}: Retention): Pick<RetentionOptions, 'pinned' | 'answerMs' | 'tombstoneMs'> & { everyMs: number } {
  return {
    pinned: [PLACE_ORDER, REFUND_ORDER],
    answerMs: keyLifetimeMs,
    tombstoneMs: Math.max(tombstoneLifetimeMs, keyLifetimeMs),
    everyMs: Math.min(Math.max(keyLifetimeMs / 10, EVERY_MS.least), EVERY_MS.most),
  };
}

/** H16: the key is older than any key that is surely kept. */
export function isTooOld(retention: Retention, key: string, now: Date): boolean {
  return isKeyExpired(key, retention.tombstoneLifetimeMs, now.getTime());
}

/** ISO 8601: whole days where it is some, else seconds. */
export function isoDuration(ms: number): string {
  const days = ms / 86_400_000;
  return Number.isInteger(days) ? `P${days}D` : `PT${ms / 1_000}S`;
}

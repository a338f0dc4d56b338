/*
 * How long keys and answers are kept. The clock decides, never the sweep.
 *
 * K5  Two things expire. An *answer* expires first: its key is known, nothing runs, and what it stands for is shown as it is. Then
 *     a *key* expires: it is no longer known. One that says its age, and is older than that, is refused and not run again (H16).
 */
import { dateOfKey } from './new-key.ts';

export const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long the answer to a call is given again, in whole days (the last one is given to its end, UTC). */
export const DEFAULT_KEEP_DAYS = 30;
/** How long a key is known after its answer was stored. Longer than any caller retries. */
export const TOMBSTONE_MS = DEFAULT_KEEP_DAYS * DAY_MS;

/** H15: the answer of a key that was claimed then is no longer given as it was. In milliseconds since 1970. */
export function isAnswerExpired(claimedAtMs: number, lifetimeMs: number, nowMs: number): boolean {
  return claimedAtMs + lifetimeMs <= nowMs;
}

/** H16: the key says that it is older than anything that is remembered for sure. */
export function isKeyExpired(key: string, tombstoneMs: number, nowMs: number): boolean {
  const madeAt = dateOfKey(key);
  return madeAt !== undefined && madeAt.getTime() + tombstoneMs < nowMs;
}

import type { Retry } from '../definition/definition.ts';

/**
 * Full jitter: a random time up to an exponentially growing bound, so that sagas that failed together don't come back
 * together.
 *
 * @param attempt from 0
 * @param random uniform in [0, 1)
 */
export function fullJitterMs(retry: Pick<Retry, 'baseMs' | 'capMs'>, attempt: number, random: () => number): number {
  return random() * Math.min(retry.capMs, retry.baseMs * 2 ** attempt);
}

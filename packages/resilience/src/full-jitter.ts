/**
 * A random time up to an exponentially growing bound, so that those that failed together don't come back together.
 *
 * @param attempt from 0
 * @param random uniform in [0, 1)
 */
export function fullJitterMs(
  { baseMs, capMs }: { baseMs: number; capMs: number },
  attempt: number,
  random: () => number,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}

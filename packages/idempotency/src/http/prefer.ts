/**
 * How long the client would rather wait for the answer (`Prefer: wait=N`, RFC 7240), in milliseconds; 0 when it doesn't
 * say, or in a way that can't be read: preferences are never errors.
 */
export function preferredWaitMs(header: string | string[] | undefined, maxMs: number): number {
  for (const preference of [header ?? []].flat().join(',').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1_000, maxMs);
  }
  return 0;
}

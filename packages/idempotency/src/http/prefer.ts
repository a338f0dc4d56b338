const WAIT = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?$/i;

/**
 * How long the client would rather wait for the answer (`Prefer: wait=N`, RFC 7240), in milliseconds and at most `maxMs`.
 * 0 when it doesn't say, or in a way that can't be read: the RFC has preferences ignored then, never refused.
 */
export function preferredWaitMs(header: string | string[] | undefined, maxMs: number): number {
  if (header === undefined) return 0;
  for (const preference of String(header).split(',')) {
    const seconds = WAIT.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1_000, maxMs);
  }
  return 0;
}

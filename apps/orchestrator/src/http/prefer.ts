import { MAX_WAIT_MS } from '../orders/accept-order.ts';

const MAX_WAIT_SECONDS = MAX_WAIT_MS / 1_000;
const WAIT = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?$/i;

/**
 * How long the client would rather wait for the result (RFC 7240), in milliseconds. Preferences that we don't know or
 * can't read are ignored, as the RFC says; more than 30 s counts as 30 s.
 */
export function preferredWaitMs(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  for (const preference of String(header).split(',')) {
    const seconds = WAIT.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_SECONDS) * 1_000;
  }
  return 0;
}

/*
 * The one comparison of requests.
 *
 * K2  A key stands for one request: the same operation and the same fingerprint. Whatever looks a key up compares with this, or,
 *     where only the database can (claims.ts), with the same in SQL.
 */

/** A digest, as bytes or as a binary string (latin1), which costs less to keep. */
export type Digest = Buffer | string;

export interface StoredRequest {
  operation: string;
  /** Null where an undo sealed the key before any request came. */
  fingerprint: Digest | null;
}

export interface SentRequest {
  operation: string;
  fingerprint: { digest: Digest };
}

/** Whether the key stands for this very request. */
export function isSameRequest(stored: StoredRequest, { operation, fingerprint }: SentRequest): boolean {
  return (
    stored.operation === operation &&
    stored.fingerprint !== null &&
    // @guard K2 the comparison of fingerprints: "textOf(stored.fingerprint) === textOf(fingerprint.digest)" -> "textOf(stored.fingerprint) !== typeof fingerprint.digest"
    textOf(stored.fingerprint) === textOf(fingerprint.digest)
  );
}

const textOf = (digest: Digest): string => (typeof digest === 'string' ? digest : digest.toString('latin1'));

/** Names of the top-level members that differ, where both requests' are known; never their values. */
export function differingMembers(stored: Record<string, string> | null, sent: Record<string, string> | null): string[] {
  if (stored === null || sent === null) return [];
  const names = new Set([...Object.keys(stored), ...Object.keys(sent)]);
  return [...names].filter((name) => stored[name] !== sent[name]).sort();
}

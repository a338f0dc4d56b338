import { type KeyFault, parseKey } from '../core/new-key.ts';

/** Where a request carries its key, and where each answer repeats it; in lower case, as Node.js gives headers. */
export const KEY_HEADER = 'idempotency-key';
export const REPLAYED_HEADER = 'idempotent-replayed';
export const EXPIRES_HEADER = 'idempotency-expires';

/** The key of a request (H1, H2). @param headers as Node.js gives them: lower case, repeated ones joined or in a list */
export function keyIn(headers: Readonly<Record<string, unknown>>): { kind: 'key'; key: string } | KeyFault {
  return parseKey(headers[KEY_HEADER] as string | string[] | undefined);
}

/** What an answer says of its request's key. */
export interface AnsweredKey {
  key: string;
  /** Whether an earlier request had this answer; nothing was run then. */
  replayed: boolean;
  /** Until when a retry gets this very answer; an ISO 8601 instant. */
  expiresAt: string;
}

/** The headers of every answer to a keyed request, whatever came of it. */
export function keyHeaders({ key, replayed, expiresAt }: AnsweredKey): Record<string, string> {
  return {
    [KEY_HEADER]: key,
    [REPLAYED_HEADER]: String(replayed),
    [EXPIRES_HEADER]: expiresAt,
  };
}

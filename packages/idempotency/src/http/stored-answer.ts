/**
 * An HTTP answer as it is stored: one line of JSON (status, headers, expiry), then the body's bytes as they left.
 * Bodies are never parsed and printed again: a replay is equal byte for byte (K2).
 */
export interface StoredAnswer {
  status: number;
  /** Only those of the route's allow-list; names in lower case. */
  headers: Record<string, string>;
  /** When the stored body need no longer be given; an ISO 8601 instant. */
  expiresAt: string;
  body: Buffer;
}

const NEWLINE = 0x0a;

export function encodeAnswer({ body, ...head }: StoredAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** @throws Error when the bytes are no HTTP answer, such as one that was stored by another kind of server */
export function decodeAnswer(bytes: Buffer): StoredAnswer {
  const end = bytes.indexOf(NEWLINE);
  const head: unknown = end === -1 ? undefined : JSON.parse(bytes.subarray(0, end).toString());
  if (typeof head !== 'object' || head === null || !('status' in head)) {
    throw new Error('the stored answer is not an HTTP answer: has this operation’s name been used elsewhere?');
  }
  return { ...(head as Omit<StoredAnswer, 'body'>), body: bytes.subarray(end + 1) };
}

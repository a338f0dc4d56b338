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

const REPLAYED_HEADERS = ['content-type', 'location', 'etag', 'link'];
/** Replaying these would give one caller what was another's, or a wrong time. */
const NEVER_REPLAYED = ['set-cookie', 'date', 'transfer-encoding', 'content-length', 'connection'];

/**
 * The headers that are stored with an answer and replayed; all others are made anew. `content-type` is always one of them.
 * @throws RangeError when the list names one that must not be replayed
 */
export function replayedHeaders(names: readonly string[] = REPLAYED_HEADERS): ReadonlySet<string> {
  const lower = names.map((name) => name.toLowerCase());
  const forbidden = lower.filter((name) => NEVER_REPLAYED.includes(name));
  if (forbidden.length > 0) throw new RangeError(`${forbidden.join(', ')} must not be replayed, take it off the list`);
  return new Set(['content-type', ...lower]);
}

/** Those of an answer's headers that are stored with it. */
export function storedHeaders(allowed: ReadonlySet<string>, headers: Record<string, string>): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const name in headers) {
    const lower = name.toLowerCase();
    if (allowed.has(lower)) stored[lower] = headers[name] as string;
  }
  return stored;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const CURSOR = /^[\x21-\x7e]{1,200}$/;

export type Page =
  /** `cursor` is the last item of the page before, '' at the start. */
  { kind: 'page'; limit: number; cursor: string } | { kind: 'invalid'; message: string };

/** Reads `?limit=&cursor=`. */
export function readPage(query: unknown): Page {
  const { limit = String(LIMIT_DEFAULT), cursor = '', ...others } = query as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) return { kind: 'invalid', message: `query/${unknown}: unknown, remove it` };
  const count = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > LIMIT_MAX) {
    return { kind: 'invalid', message: `query/limit: must be a whole number from 1 to ${LIMIT_MAX}` };
  }
  if (typeof cursor !== 'string' || (cursor !== '' && !CURSOR.test(cursor))) {
    return { kind: 'invalid', message: 'query/cursor: must be the nextCursor of the page before' };
  }
  return { kind: 'page', limit: count, cursor };
}

/** @param rows one more than `limit` when there are more */
export function pageOf<T>(
  rows: T[],
  limit: number,
  cursorOf: (row: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

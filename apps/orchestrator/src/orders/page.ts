// A page of a list: newest first, and where it ended.

export interface Page<T> {
  rows: T[];
  /** Hand it in again for the next page; null on the last one. */
  nextCursor: string | null;
}

/** Where a page ended. */
export function encodeCursor(last: { createdAt: string; id: string }): string {
  return Buffer.from(`${last.createdAt} ${last.id}`).toString('base64url');
}

/** Nothing that a database would refuse. */
const OUR_ID = /^[^\p{Cc}\p{Cs}]{1,128}$/u;

/** @returns undefined when it is none that we gave out */
export function decodeCursor(cursor: string): { createdAt: string; id: string } | undefined {
  const [createdAt, id, ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ');
  if (!createdAt || !id || rest.length > 0 || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(createdAt)) return undefined;
  // Written again, so that a day that no month has is found out: it would be read as one of the next.
  const at = new Date(createdAt);
  const isOurs = !Number.isNaN(at.getTime()) && at.toISOString() === createdAt && OUR_ID.test(id);
  return isOurs ? { createdAt, id } : undefined;
}

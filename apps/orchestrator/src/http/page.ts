import { decodeCursor } from '../orders/page.ts';
import { Problem } from './problem.ts';
import type { PageQueryValue } from './schemas/order-schemas.ts';

const DEFAULT_LIMIT = 20;

/** @throws Problem for a cursor that is none of ours */
export function pageRequest(query: Pick<PageQueryValue, 'limit' | 'cursor'>): {
  limit: number;
  after: { createdAt: string; id: string } | undefined;
} {
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  if (query.cursor !== undefined && after === undefined) {
    throw new Problem('invalid-request', 'Send the `nextCursor` of the previous page unchanged.', [
      { pointer: '', detail: 'The query parameter `cursor` is not one that the API returned.' },
    ]);
  }
  return { limit: query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit), after };
}

import type { Pool } from '@holdfast/postgres';
import { type ClaimRequest, claimEnded } from './claim.ts';
import { TransactionEnded } from './scoped-transaction.ts';

/**
 * Runs `work` under a key, and marks the key when its transaction was ended by other code (K9): it never runs again by itself.
 *
 * @param work calls `onEnded` as soon as it knows. The mark is made at once and on another connection, since the end has freed
 *   the key's locks. Where the pool has no other connection, the mark waits until the transaction's is given back.
 * @throws what `work` throws; TransactionEnded once the key is marked
 */
export async function markingEnds<T>(
  pool: Pool,
  request: ClaimRequest,
  work: (onEnded: () => void) => Promise<T>,
): Promise<T> {
  let marked: Promise<void> | undefined;
  const onEnded = () => {
    marked = claimEnded(pool, request);
    marked.catch(() => {});
  };
  try {
    return await work(onEnded);
  } catch (error) {
    if (!(error instanceof TransactionEnded) || error.when === 'earlier') throw error;
    // crash here: nothing marks the key, and its effect may run again.
    await (marked ?? claimEnded(pool, request)).catch(() => claimEnded(pool, request)).catch(notMarked(error));
    throw error;
  }
}

const notMarked = (ended: TransactionEnded) => (error: unknown) => {
  const message = `${ended.message}. The key could not be marked: a retry may run the handler again`;
  throw new TransactionEnded(message, 'now', new AggregateError([ended, error]));
};

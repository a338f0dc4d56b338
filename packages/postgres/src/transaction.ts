import type pg from 'pg';
import type { Pool } from './pool.ts';

/** A client inside an open transaction. */
export type Transaction = pg.PoolClient;

/**
 * Runs `work` in one transaction (read committed) and commits when it returns. When it throws, everything is rolled
 * back and the error passes through.
 *
 * K7: `work` makes no network call but to this client; a pool connection is held for as long as it runs.
 *
 * An error from `commit` itself means that the outcome is unknown: it may have been committed (S4). Callers must treat
 * it so, and ask again with the same key.
 */
export async function transaction<T>(pool: Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return await openedBy('begin', pool, work);
}

/**
 * Like transaction(), with a first statement that travels with `begin`: one round trip for both. What follows has a
 * snapshot of its own, taken after the first statement has ended.
 *
 * @param first without parameters: only what this program has made itself may stand in it
 * @param work gets the first row of `first`
 */
export async function transactionAfter<Row extends pg.QueryResultRow, T>(
  pool: Pool,
  first: string,
  work: (tx: Transaction, row: Row | undefined) => Promise<T>,
): Promise<T> {
  return await openedBy(`begin; ${first}`, pool, (tx, opened) =>
    // More than one statement gives a list of results.
    work(tx, (opened as unknown as pg.QueryResult<Row>[])[1]?.rows[0]),
  );
}

async function openedBy<T>(
  opening: string,
  pool: Pool,
  work: (tx: Transaction, opened: pg.QueryResult) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks between two statements tells only this listener; without one the process would die of it.
  // The next statement then fails, and a client that was broken is closed.
  const onBroken = (error: Error) => {
    broken = error;
  };
  client.on('error', onBroken);
  try {
    const opened = await client.query(opening);
    const result = await work(client, opened);
    await client.query('commit');
    return result;
  } catch (error) {
    // A rollback that fails leaves a connection in an unknown state: it is closed, never handed to the next caller.
    await client.query('rollback').catch((rollbackError: Error) => {
      broken ??= rollbackError;
    });
    throw error;
  } finally {
    client.removeListener('error', onBroken);
    client.release(broken);
  }
}

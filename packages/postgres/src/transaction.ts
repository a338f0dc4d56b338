import type pg from 'pg';
import type { Pool, Query } from './pool.ts';
import { isSessionFault } from './sqlstate.ts';

/** A client inside an open transaction. */
export type Transaction = pg.PoolClient;

// Said aloud: a database may have another default, and under `repeatable read` a look taken after a lock that was waited for
// would not see what the lock's last holder has committed.
const BEGIN = 'begin isolation level read committed';

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
  return await withClient(pool, async (client) => {
    await client.query(BEGIN);
    const result = await work(client);
    await client.query('commit');
    return result;
  });
}

/** What was known before any work; undefined: nothing was. */
export type Known<T> = { result: T } | undefined;

export interface Opening<First, Found, T> {
  first: pg.QueryConfig;
  /** Has a snapshot of its own, taken after `first` has ended. */
  look: pg.QueryConfig;
  /**
   * The result, where it is known at once; undefined: the work goes on. It may read on, but writes nothing, so no caller waits
   * for the rollback.
   */
  known: (first: First | undefined, found: Found[], tx: Query) => Known<T> | Promise<Known<T>>;
}

/** A transaction's result, and the last statement, which travels with `commit`. */
export interface Ending<T> {
  result: T;
  last?: pg.QueryConfig | undefined;
}

/**
 * Like transaction(), with as few round trips as there can be: on a pool that pipelines, one for the opening, and one for
 * the last statement and the commit. On another pool the same statements go one by one.
 *
 * @throws what the last statement throws: everything is rolled back then
 */
export async function transactionAfter<First extends pg.QueryResultRow, Found extends pg.QueryResultRow, T>(
  pool: Pool,
  { first, look, known }: Opening<First, Found, T>,
  work: (tx: Transaction, found: Found[]) => Promise<Ending<T>>,
): Promise<T> {
  const answered = Promise.withResolvers<T>();
  const ended = withClient(pool, async (client) => {
    const [, opened, found] = await together(client, BEGIN, first, look);
    const said = await known(opened?.rows[0] as First | undefined, (found?.rows ?? []) as Found[], client);
    if (said !== undefined) {
      answered.resolve(said.result);
      await client.query('rollback');
      return said.result;
    }
    const { result, last } = await work(client, (found?.rows ?? []) as Found[]);
    // When the last statement fails, the server turns the commit that travels with it into a rollback.
    if (last === undefined) await client.query('commit');
    else await together(client, last, 'commit');
    return result;
  });
  // Said already, when only the rollback fails: its connection is closed then.
  ended.then(answered.resolve, answered.reject);
  return await answered.promise;
}

/**
 * Runs statements in one transaction that asks nothing in between: on a pool that pipelines, in one round trip.
 *
 * @returns what each came to
 * @throws what the first of them throws that fails: everything is rolled back then
 */
export async function transactionOf(pool: Pool, statements: pg.QueryConfig[]): Promise<pg.QueryResult[]> {
  const [only, ...more] = statements;
  if (only === undefined) return [];
  if (more.length === 0) return [await pool.query(only)];
  const results = await withClient(pool, (client) => together(client, BEGIN, ...statements, 'commit'));
  return results.slice(1, -1);
}

/** In their order, and in one round trip where the connection pipelines. @throws what any of them throws */
async function together(client: Transaction, ...statements: (pg.QueryConfig | string)[]): Promise<pg.QueryResult[]> {
  if ((client as { pipeline?: boolean }).pipeline === true) {
    return await Promise.all(statements.map((one) => client.query(one)));
  }
  const results: pg.QueryResult[] = [];
  for (const one of statements) results.push(await client.query(one));
  return results;
}

/** Lends a connection; whatever is thrown, it is handed back without an open transaction, or closed. */
async function withClient<T>(pool: Pool, work: (client: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks between two statements reaches only this listener; without one the process would die of it.
  // The next statement then fails, and a client that was broken is closed.
  const onBroken = (error: Error) => {
    broken = error;
  };
  client.on('error', onBroken);
  try {
    return await work(client);
  } catch (error) {
    // The next caller must not get a session that can't do the work (read-only, or without the statements it prepared).
    if (isSessionFault(error)) broken ??= error as Error;
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

import { type TestDatabase, testDatabase } from '@holdfast/testing';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPool, type Pool, statement } from './pool.ts';
import { type Opening, transactionAfter, transactionOf } from './transaction.ts';

interface Note {
  id: number;
}
type Known = Opening<Note, Note, string>['known'];

describe.each([false, true])('a transaction with an opening, pipelined: %s', (pipeline) => {
  let db: TestDatabase;
  let pool: Pool;
  /** Ends what a test that failed has left waiting. */
  let letGo = () => {};
  beforeEach(async () => {
    db = await testDatabase('transaction_after', []);
    await db.pool.query('create table note (id int primary key)');
    // One connection: one that is not given back, or given back in a transaction, is noticed at once.
    pool = createPool({
      databaseUrl: db.databaseUrl,
      applicationName: 'after',
      max: 1,
      connectTimeoutMs: 1_000,
      pipeline,
    });
  });
  afterEach(async () => {
    letGo();
    await pool.end();
    await db.drop();
  });

  const opening = (known: Known = () => undefined) => ({
    first: statement('test.first', 'select 7 as id'),
    look: { ...statement('test.look', 'select id from note where id = $1::int'), values: [1] },
    known,
  });
  const insert = (id: number) => ({ ...statement('test.insert', 'insert into note values ($1::int)'), values: [id] });
  const notes = async () => (await pool.query<Note>('select id from note order by id')).rows.map(({ id }) => id);
  const never = () => Promise.reject(new Error('the work was begun'));

  it('of statements alone commits them together, and gives what each came to', async () => {
    const all = await transactionOf(pool, [insert(1), opening().look, insert(2)]);
    expect(all.map(({ rows, rowCount }) => [rows, rowCount])).toEqual([
      [[], 1],
      [[{ id: 1 }], 1],
      [[], 1],
    ]);
    const { rows } = await pool.query('select count(distinct xmin::text)::int as transactions from note');
    expect(rows).toEqual([{ transactions: 1 }]);
    expect(await transactionOf(pool, [])).toEqual([]);
  });

  it('of statements alone leaves nothing of them when one fails, and the connection goes on', async () => {
    await expect(transactionOf(pool, [insert(1), insert(1), insert(2)])).rejects.toMatchObject({ code: '23505' });
    expect(await notes()).toEqual([]);
    await transactionOf(pool, [insert(3)]);
    expect(await notes()).toEqual([3]);
  });

  it('does its work with what was found, and commits it with its last statement', async () => {
    await pool.query(insert(1));
    const seen: unknown[] = [];
    const known: Known = (first, found) => void seen.push(first, ...found);
    const ended = await transactionAfter(pool, opening(known), async (tx, found) => {
      await tx.query(insert(2));
      return { result: `found ${found.length}`, last: insert(3) };
    });
    expect(ended).toBe('found 1');
    expect(seen).toEqual([{ id: 7 }, { id: 1 }]);
    expect(await notes()).toEqual([1, 2, 3]);
  });

  it('leaves nothing behind when its last statement fails, and passes the error on', async () => {
    const failed = transactionAfter(pool, opening(), async (tx) => {
      await tx.query(insert(2));
      return { result: 'done', last: insert(2) };
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await notes()).toEqual([]);
    // The connection takes the same statements again, whether or not the server had come to know them.
    expect(await transactionAfter(pool, opening(), async () => ({ result: 'done', last: insert(2) }))).toBe('done');
    expect(await notes()).toEqual([2]);
  });

  it('whose opening fails never begins its work, and the connection goes on', async () => {
    const wrong = { ...opening(), look: statement('test.nowhere', 'select id from nowhere') };
    await expect(transactionAfter(pool, wrong, never)).rejects.toMatchObject({ code: '42P01' });
    const zero = { ...opening(), first: { ...statement('test.zero', 'select 1 / $1::int as id'), values: [0] } };
    await expect(transactionAfter(pool, zero, never)).rejects.toMatchObject({ code: '22012' });
    expect(await transactionAfter(pool, opening(), async () => ({ result: 'done', last: insert(2) }))).toBe('done');
    expect(await notes()).toEqual([2]);
  });

  it('whose answer is known already does no work, reads on, and writes nothing', async () => {
    await pool.query(insert(1));
    const known: Known = async (_, found, tx) => {
      const { rows } = await tx.query<Note>('select id + 1 as id from note');
      return { result: `known: ${found[0]?.id}, ${rows[0]?.id}` };
    };
    expect(await transactionAfter(pool, opening(known), never)).toBe('known: 1, 2');
    expect(await notes()).toEqual([1]);
  });

  it('that fails as it reads on passes the error on, and the connection goes on', async () => {
    const known: Known = async (_first, _found, tx) => {
      await tx.query('select id from nowhere');
      return { result: 'known' };
    };
    await expect(transactionAfter(pool, opening(known), never)).rejects.toMatchObject({ code: '42P01' });
    expect(await notes()).toEqual([]);
  });

  it('K7: whose answer is known gives it while the rollback is on its way, and the connection back when it has come', async () => {
    const rollback = await heldRollback();
    expect(
      await transactionAfter(
        pool,
        opening(() => ({ result: 'known' })),
        never,
      ),
    ).toBe('known');
    await rollback.asked;
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 0]);
    rollback.end();
    await vi.waitUntil(() => pool.idleCount === 1);
    expect(await notes()).toEqual([]);
  });

  it('K7: whose answer is known gives it though the rollback fails; its connection is closed, and no caller gets it', async () => {
    const rollback = await heldRollback();
    const known = () => ({ result: 'known' });
    expect(await transactionAfter(pool, opening(known), never)).toBe('known');
    await rollback.asked;
    rollback.fail(new Error('lost'));
    await vi.waitUntil(() => pool.totalCount === 0);
    expect(await notes()).toEqual([]);
  });

  /** The pool's one connection answers no rollback until the test lets it. */
  async function heldRollback() {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    letGo = () => answered.resolve();
    const client = await pool.connect();
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<pg.QueryResult>;
    client.query = (async (...call: unknown[]) => {
      if (call[0] !== 'rollback') return await query(...call);
      asked.resolve();
      await answered.promise;
      return await query(...call);
    }) as typeof client.query;
    client.release();
    return { asked: asked.promise, end: letGo, fail: (error: Error) => answered.reject(error) };
  }
});

import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifyPostgresError } from './sqlstate.ts';
import { transaction } from './transaction.ts';

let db: TestDatabase;

const rows = async () => (await db.pool.query<{ id: number }>('select id from note order by id')).rows;

beforeEach(async () => {
  // One connection: a client that is not given back, or given back in a transaction, is noticed at once.
  db = await testDatabase('transaction', [], { max: 1, connectTimeoutMs: 1_000 });
  await db.pool.query('create table note (id int primary key)');
});

afterEach(() => db.drop());

describe('a transaction', () => {
  it('commits when its work returns, and returns what the work returned', async () => {
    const result = await transaction(db.pool, async (tx) => {
      await tx.query('insert into note values (1)');
      return 'done';
    });
    expect(result).toBe('done');
    expect(await rows()).toEqual([{ id: 1 }]);
  });

  it('leaves nothing behind when its work throws, and passes the error on', async () => {
    const fault = new Error('changed my mind');
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('insert into note values (1)');
      throw fault;
    });
    await expect(failed).rejects.toBe(fault);
    expect(await rows()).toEqual([]);
  });

  it('leaves nothing behind when a statement fails', async () => {
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('insert into note values (1)');
      await tx.query('insert into note values (1)');
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await rows()).toEqual([]);
  });

  it('whose commit is refused by a deferred constraint rejects', async () => {
    await db.pool.query('create table page (id int unique deferrable initially deferred)');
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('insert into page values (1), (1)');
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect((await db.pool.query('select from page')).rowCount).toBe(0);
  });

  it('whose connection breaks between two statements rejects as unavailable, and the pool recovers', async () => {
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('insert into note values (1)');
      const { rows: own } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await severed(own[0]?.pid);
      await tx.query('insert into note values (2)');
    });
    const error = await failed.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(classifyPostgresError(error)).toBe('unavailable');
    expect(await rows()).toEqual([]);
  });
});

/** Ends a connection on the server, and returns when it is gone there. */
async function severed(pid: number | undefined): Promise<void> {
  const other = await testDatabase('severed', []);
  try {
    await other.pool.query('select pg_terminate_backend($1::int, 5000)', [pid]);
    // One more round trip in this process, so that the news has reached the broken client's socket.
    await other.pool.query('select 1');
  } finally {
    await other.drop();
  }
}

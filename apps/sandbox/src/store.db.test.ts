import { statement } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Store } from './store.ts';

let db: TestDatabase;
let store: Store;
beforeAll(async () => {
  db = await testDatabase('sandbox_store', [], { pipeline: true });
  await db.pool.query('create table note (id int primary key)');
  store = createStore(db.pool);
});
beforeEach(() => db.pool.query('truncate note'));
afterAll(() => db.drop());

const INSERT = statement('test.insert', 'insert into note values ($1::int) returning id');
const insert = (id: number, subject = `${id}`) => store.commit<{ id: number }>(subject, { ...INSERT, values: [id] });
const kept = async () =>
  (await db.pool.query('select count(*)::int as notes, count(distinct xmin::text)::int as transactions from note'))
    .rows[0];

describe('writes that arrive together', () => {
  it('share a transaction, and each hears of its own', async () => {
    expect(await Promise.all([insert(3), insert(1), insert(2)])).toEqual([[{ id: 3 }], [{ id: 1 }], [{ id: 2 }]]);
    expect(await kept()).toEqual({ notes: 3, transactions: 1 });
  });

  it('K1: are kept when one of them fails, which fails alone', async () => {
    const [first, again, other] = await Promise.allSettled([insert(1, 'a'), insert(1, 'b'), insert(2)]);
    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(again).toMatchObject({ status: 'rejected', reason: { code: '23505' } });
    expect(other).toMatchObject({ status: 'fulfilled' });
    expect((await kept()).notes).toBe(2);
  });
});

import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newOrder } from '../../test/test-order.ts';
import { findStoredKeys } from '../keys/key-store.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { answerPayload, createInsertOrders, type InsertOrders, storeAnswer } from './order-store.ts';

let database: TestDatabase;
let other: Pool;
beforeAll(async () => {
  database = await testDatabase('order-store', orchestratorMigrations);
  other = createPool({ databaseUrl: database.databaseUrl, applicationName: 'the other replica', max: 4 });
});
afterAll(async () => {
  await other?.end();
  await database?.drop();
});

describe('orders that arrive together', () => {
  it('K2: at two replicas, each in its own order, are placed once each, and never wait for one another in a circle', async () => {
    const replicas = [database.pool, other].map((pool) => createInsertOrders(pool, { publishesEvents: true })) as [
      InsertOrders,
      InsertOrders,
    ];
    const queries = [vi.spyOn(database.pool, 'query'), vi.spyOn(other, 'query')];
    for (let round = 0; round < 8; round++) {
      const ids = Array.from({ length: 60 }, () => randomUUID());
      const [here, there] = await Promise.all([
        replicas[0](ids.map(newOrder)),
        replicas[1](ids.toReversed().map(newOrder)),
      ]);
      const placed = [...here, ...there].flatMap((inserted) => (inserted.kind === 'begun' ? [inserted.row.id] : []));
      expect(placed.toSorted()).toEqual(ids.toSorted());
    }
    // A circle ends by the lock time-out or by the server's own search for one: either way a statement fails.
    const failed = queries.flatMap(({ mock }) => mock.settledResults.filter(({ type }) => type === 'rejected'));
    expect(failed.map(({ value }) => value.code)).toEqual([]);
  });
});

describe('the end of an order', () => {
  /** As long as most. */
  const bodyOf = (id: string) => JSON.stringify({ id, status: 'completed', rest: `€${'.'.repeat(500)}` });
  /** As the flush of these orders' terminal checkpoints has it. */
  const endAll = (ids: string[], db: Pick<Pool, 'query'> = database.pool) =>
    db.query<{ id: string }>(
      `with written as (select id, payload from unnest($1::text[], $2::text[]) as w(id, payload)),
            hook as (${storeAnswer.text})
       select id from hook`,
      [ids, ids.map((id) => answerPayload('shop', bodyOf(id)))],
    );

  it('K1: stores the answer where it is open, once, byte for byte, and says whose', async () => {
    const insert = createInsertOrders(database.pool, { publishesEvents: false });
    const [open, answered, other] = [randomUUID(), randomUUID(), randomUUID()];
    await insert([newOrder(open), { ...newOrder(answered), answer: 'before' }, newOrder(other)]);
    expect((await endAll([open, answered])).rows).toEqual([{ id: open }]);
    expect((await endAll([open])).rows).toEqual([]);
    const ids = [open, answered, other].map((id) => ({ tenantId: 'shop', id }));
    const stored = await findStoredKeys(database.pool, ids);
    expect(ids.map(({ id }) => [stored.get(id)?.status, stored.get(id)?.answer])).toEqual([
      [201, bodyOf(open)],
      [201, 'before'],
      [null, null],
    ]);
  });

  it('finds room for most answers beside their claims, and writes to no index then', async () => {
    const insert = createInsertOrders(database.pool, { publishesEvents: false });
    await database.pool.query('truncate holdfast.claims');
    // Its statistics are those of one session.
    const session = await database.pool.connect();
    const updated = async () => {
      await session.query('select pg_stat_force_next_flush()');
      const { rows } = await session.query<{ all: number; beside: number }>(
        `select n_tup_upd::int as all, n_tup_hot_upd::int as beside from pg_stat_user_tables where relname = 'claims'`,
      );
      return rows[0] ?? { all: 0, beside: 0 };
    };
    const before = await updated();
    const open: string[] = [];
    const ofFullLength = { version: 1, digest: Buffer.alloc(32), members: null };
    for (let group = 0; group < 60; group++) {
      const ids = Array.from({ length: 8 }, () => randomUUID());
      await insert(ids.map((id) => ({ ...newOrder(id), fingerprint: ofFullLength })));
      open.push(...ids);
      if (open.length > 64) await endAll(open.splice(0, 8), session);
    }
    const after = await updated();
    session.release();
    expect(after.all - before.all).toBeGreaterThan(400);
    expect((after.beside - before.beside) / (after.all - before.all)).toBeGreaterThan(0.7);
  });
});

import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newOrder } from '../../test/test-order.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { createInsertOrders, type InsertOrders } from './order-store.ts';

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
    const replicas = [database.pool, other].map((pool) => createInsertOrders(pool, { tellsEvents: true })) as [
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
      const placed = [...here, ...there].flatMap((inserted) => (inserted.kind === 'started' ? [inserted.row.id] : []));
      expect(placed.toSorted()).toEqual(ids.toSorted());
    }
    // A circle ends by the lock time-out or by the server's own search for one: either way a statement fails.
    const failed = queries.flatMap(({ mock }) => mock.settledResults.filter(({ type }) => type === 'rejected'));
    expect(failed.map(({ value }) => value.code)).toEqual([]);
  });
});

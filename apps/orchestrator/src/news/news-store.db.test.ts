import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { type DisputeNews, storeAuthorizationNews, storeDisputeNews } from './news-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('order-news', orchestratorMigrations);
  await database.pool.query(
    `insert into orders (id, tenant_id, customer_id, created_at)
     select 'o' || n, 'shop', 'c', clock_timestamp() from generate_series(1, 9) n`,
  );
});
afterAll(() => database?.drop());

const OPENED = {
  ...{ tenantId: 'shop', disputeId: 'du_1', amount: 500, currency: 'EUR', reason: 'fraudulent' },
  ...{ status: 'needs_response', openedAt: '2026-11-30T00:00:00.000Z', revision: 1 },
};
const disputes = (...news: DisputeNews[]) => storeDisputeNews(database.pool, news, { publishesEvents: true });

async function published(orderId: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ kind: string }>(
    `select kind from holdfast.outbox where order_id = $1 order by kind`,
    [orderId],
  );
  return rows.map(({ kind }) => kind);
}

describe('E1, E2: a dispute that payment tells of', () => {
  it('is stored and published once, however often and in whatever order it is told', async () => {
    const opened = { ...OPENED, orderId: 'o1' };
    const lost = { ...opened, status: 'lost', revision: 2 };
    expect(await disputes(opened)).toEqual(['needs_response']);
    expect(await disputes(opened)).toEqual([]);
    expect(await disputes(lost)).toEqual(['lost']);
    expect(await disputes(opened)).toEqual([]);
    const { rows } = await database.pool.query(`select status, revision from order_disputes where order_id = 'o1'`);
    expect(rows).toEqual([{ status: 'lost', revision: 2 }]);
    expect(await published('o1')).toEqual(['disputed:du_1:lost', 'disputed:du_1:needs_response']);
  });

  it('of an order of another tenant, or of none, is not kept', async () => {
    expect(await disputes({ ...OPENED, orderId: 'o2', tenantId: 'other' }, { ...OPENED, orderId: 'nobody' })).toEqual(
      [],
    );
    const { rowCount } = await database.pool.query(`select from order_disputes where order_id in ('o2', 'nobody')`);
    expect(rowCount).toBe(0);
  });

  it('told by two processes at once is counted by one of them', async () => {
    const opened = { ...OPENED, orderId: 'o3' };
    const counted = (await Promise.all(Array.from({ length: 8 }, () => disputes(opened)))).flat();
    expect(counted).toEqual(['needs_response']);
  });
});

describe('E1, E2: an authorisation that payment tells of', () => {
  it('is stored and published once, and never goes back', async () => {
    const news = { tenantId: 'shop', orderId: 'o4', state: 'expiring' as const, revision: 2 };
    const store = (...told: (typeof news | (Omit<typeof news, 'state'> & { state: 'expired' }))[]) =>
      storeAuthorizationNews(database.pool, told, { publishesEvents: true });
    expect(await store(news)).toEqual(['expiring']);
    expect(await store({ ...news, state: 'expired', revision: 3 })).toEqual(['expired']);
    expect(await store(news)).toEqual([]);
    expect(await published('o4')).toEqual(['authorization-expired', 'authorization-expiring']);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import type { Participants } from '../saga/participants.ts';
import { takeRefundNews } from './take-refund-news.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('refund-news', orchestratorMigrations);
});
afterAll(() => database?.drop());

const news = Array.from({ length: 200 }, (_, at) => ({
  ...{ tenantId: 'shop', orderId: 'o', refundId: `re_${at}`, origin: 'provider', amount: 1, currency: 'EUR' },
  ...{ state: 'REFUND_STATUS_SUCCEEDED', reason: '', revision: 1, createdAt: '2026-01-01T00:00:00.000Z' },
}));

it('a full page that payment can tell and not strike off is taken in after a pause, not again at once', async () => {
  const down = { kind: 'error', reason: 'STORE_UNAVAILABLE', message: 'read only', pushbackMs: 1_000, metadata: {} };
  const ListRefundNews = vi.fn(async () => ({ kind: 'completed', message: { news }, replayed: false }));
  const ForgetRefundNews = vi.fn(async () => down);
  const payment = { ListRefundNews, ForgetRefundNews } as unknown as Participants['payment'];
  const engine = { signal: () => Promise.reject(new Error('nobody waits for those of the provider')) };
  const stop = takeRefundNews({ pool: database.pool, payment, engine, log: createLog('t', 'silent') }, 600_000);
  try {
    await vi.waitUntil(() => ForgetRefundNews.mock.calls.length > 0, 10_000);
    // A look without a pause would follow in milliseconds: there is nothing else to wait for that does not come.
    await delay(300);
    expect(ListRefundNews).toHaveBeenCalledTimes(1);
    ForgetRefundNews.mockClear();
  } finally {
    await stop();
  }
});

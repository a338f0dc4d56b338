import { randomUUID } from 'node:crypto';
import { type Fingerprinter, loadFingerprinter } from '@holdfast/idempotency';
import { createEngine } from '@holdfast/saga';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOrder } from '../../test/test-order.ts';
import { InFlightKeys } from '../keys/in-flight-keys.ts';
import { PLACE_ORDER } from '../keys/key-store.ts';
import { createOrderAnswerCache } from '../keys/order-answer-cache.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { acceptOrder, keyId, type OrderDeps } from './accept-order.ts';
import type { OrderRequest } from './order.ts';
import { createInsertOrders, type InsertOrders } from './order-store.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
let deps: OrderDeps;
let insert: InsertOrders;
beforeAll(async () => {
  database = await testDatabase('accept-order', orchestratorMigrations);
  const { pool } = database;
  fingerprinter = await loadFingerprinter(pool);
  const log = createLog('accept-order', 'silent');
  const retention = { keyLifetimeMs: 60_000, tombstoneLifetimeMs: 120_000 };
  const now = () => new Date();
  // Not started: it has no lease, as a process that has lost it.
  const engine = createEngine({ pool, definitions: [], name: 'test', log });
  insert = createInsertOrders(pool, { publishesEvents: false });
  deps = {
    pool,
    startOrder: engine.createStarter({ insert }),
    engine,
    fingerprinter,
    inFlightKeys: new InFlightKeys({ pool, log, subscribe: () => () => {} }),
    retention,
    answerCache: createOrderAnswerCache(undefined, retention, now),
    deadlineMs: 60_000,
    publishesEvents: false,
    now,
  };
});
afterAll(async () => {
  deps?.inFlightKeys.close();
  await database?.drop();
});

const { tenantId, createdAt: _createdAt, traceparent, ...request } = newOrder('').order;
const printOf = (asked: OrderRequest) => fingerprinter.of(PLACE_ORDER, asked, { nameMembers: true });

/** An order that was placed, and is there; its key is asked for again. */
async function askedAgainFor(other: OrderRequest, { members }: { members: object | null }) {
  const key = randomUUID();
  const id = keyId(fingerprinter, tenantId, key);
  await insert([{ ...newOrder(id), fingerprint: printOf(request), answer: '{}' }]);
  if (members !== null)
    await database.pool.query('update holdfast.claims set members = $2 where scope = $1', [id, members]);
  const { signal } = new AbortController();
  return await acceptOrder(deps, { tenantId, key, request: other, waitMs: 0, traceparent, signal });
}

describe('the key of an order', () => {
  const other = { ...request, customerId: 'bob', items: [{ sku: 'apple', quantity: 2 }] };

  it('H6: names the members that differ, by the order’s row or by the claim of an earlier release', async () => {
    for (const members of [null, printOf(request).members]) {
      expect(await askedAgainFor(other, { members })).toMatchObject({
        kind: 'reused',
        differing: ['customerId', 'items'],
      });
    }
  });

  it('K2: gives the stored answer to the same request', async () => {
    expect(await askedAgainFor({ ...request }, { members: null })).toMatchObject({ kind: 'completed', body: '{}' });
  });
});

import { connectRedis, type RedisClient } from '@holdfast/idempotency/redis';
import { createPool, type Pool } from '@holdfast/postgres';
import { isRedisInstalled, toldEvents } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newKey, type System, setUpCatalogue, startSystem } from './system.ts';

const skip = !isRedisInstalled() && process.env.HOLDFAST_REQUIRE_ALL !== '1';
if (skip) console.warn('skipped: dispatches with events need redis-server on the PATH (Debian: redis-server)');

const ORDERS = 40;
const EVENTS = { ORDER_EVENTS: 'true' };

let system: System;
let inventory: Pool;
let redis: RedisClient;
beforeAll(async () => {
  if (skip) return;
  const env = { orchestrator: EVENTS, inventory: EVENTS, shipping: EVENTS };
  system = await startSystem({ redis: true, participants: 2, env });
  await setUpCatalogue(system);
  inventory = createPool({ databaseUrl: system.cluster.databaseUrl('inventory'), applicationName: 'test', max: 2 });
  redis = connectRedis(system.cluster.run.redisUrl ?? '');
});
afterAll(async () => {
  redis?.disconnect();
  await inventory?.end();
  await system?.stop();
});

const dispatch = (id: string) => system.send('POST', `/v1/orders/${id}/dispatch`);

async function completed(): Promise<{ id: string; shipmentId: string }> {
  const key = newKey();
  // 503: nothing was done (H9). On a busy machine an orchestrator may be without its lease for an instant.
  const { body } = await system.until('the order is accepted', async () => {
    const reply = await system.place({}, { key, prefer: 'wait=20' });
    return reply.status === 503 ? undefined : reply;
  });
  expect(body).toMatchObject({ status: 'completed' });
  return body;
}

/** kill -9: all that it holds is gone, and another one is started on its port. */
async function killRedis(): Promise<void> {
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  process.kill(Number(pid), 'SIGKILL');
}

async function countOf(text: string, ids: string[]): Promise<number> {
  return (await inventory.query<{ n: number }>(`select count(*)::int as n ${text}`, [ids])).rows[0]?.n ?? -1;
}

/** The orders of which a stream says this. */
async function toldOf(stream: string, type: string): Promise<Set<string>> {
  const events = await toldEvents(redis, stream);
  return new Set(events.flatMap((event) => (event.type === type ? [event.orderId ?? ''] : [])));
}

describe.skipIf(skip)('dispatching an order', () => {
  it('gets its shipment and the instant, the same each time', async () => {
    const { id, shipmentId } = await completed();
    const first = await dispatch(id);
    expect(first, first.text).toMatchObject({ status: 200, body: { id, shipmentId } });
    expect(Date.parse(first.body.dispatchedAt)).toBeLessThanOrEqual(Date.now());
    expect((await dispatch(id)).text).toBe(first.text);
  });

  it('that has not completed is refused; that does not exist is 404; without a key is 401', async () => {
    const { body: failed } = await system.place({ customerId: 'poor' }, { prefer: 'wait=20' });
    expect(failed.status).toBe('failed');
    const refused = await dispatch(failed.id);
    expect(refused).toMatchObject({ status: 409, body: { code: 'not-completed', retryable: false } });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await dispatch('no-such-order')).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const path = `/v1/orders/${failed.id}/dispatch`;
    expect((await system.send('POST', path, undefined, { apiKey: 'a-key-of-nobody-at-all' })).status).toBe(401);
  });

  it('E1–E7, K1: fulfils its stock exactly once, whoever is killed meanwhile, and every event is told', async () => {
    const orders = await Promise.all(Array.from({ length: ORDERS }, completed));
    const ids = orders.map(({ id }) => id);
    await vi.waitUntil(() => redis.status === 'ready', 10_000);
    const replies = await Promise.all(
      ids.map(async (id, at) => {
        if (at === ORDERS / 4) await system.cluster.kill('inventory', 0);
        if (at === ORDERS / 2) await killRedis();
        return await dispatch(id);
      }),
    );
    await system.cluster.kill('inventory', 1);
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);

    const fulfilled = `from reservations where order_id = any($1::text[]) and state = 'fulfilled'`;
    await system.until('all are fulfilled', async () => {
      return (await countOf(fulfilled, ids)) === ORDERS ? true : undefined;
    });
    const entries = `from stock_entries where kind = 'fulfil' and split_part(entry_key, '/', 2) = any($1::text[])`;
    expect(await countOf(entries, ids)).toBe(2 * ORDERS);

    for (const [stream, type] of [
      ['{holdfast:order-events}', 'order.accepted'],
      ['{holdfast:order-events}', 'order.completed'],
      ['{holdfast:shipment-events}', 'shipment.dispatched'],
    ] as const) {
      await system.until(`${type} of all is told`, async () => {
        const told = await toldOf(stream, type);
        return ids.every((id) => told.has(id)) ? true : undefined;
      });
    }
    const report = await system.audit({ allowUnfulfilled: false });
    expect(report.violations, JSON.stringify(report.checks, null, 2)).toBe(0);
    expect(report.dispatched).toEqual({ fulfilled: ORDERS + 1, unfulfilled: 0 });
  });
});

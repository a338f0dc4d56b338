import { createClient, type HoldfastClient, newKey } from '@holdfast/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, orderFor, type System, setUpCatalogue, startSystem } from './system.ts';

let system: System;
let client: HoldfastClient;
beforeAll(async () => {
  system = await startSystem();
  await setUpCatalogue(system);
  const { http, apiKey } = system.cluster.run;
  // Patient: a process that was killed takes seconds to come back on a machine that is busy with other tests.
  client = createClient({
    baseUrl: http,
    apiKey,
    retry: { maxAttempts: 40 },
    budget: { maxTokens: 200, tokenRatio: 1 },
  });
});
afterAll(() => system?.stop());

type OrderRequest = Parameters<HoldfastClient['placeOrder']>[0];
const request = (overrides: object = {}) => orderFor(overrides) as OrderRequest;

describe('the client of the HTTP API', () => {
  it('S1, K2: places an order once and follows it to its end, though its orchestrator is killed meanwhile', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 500 } });
    const key = newKey();
    const card = request({ payment: { method: 'pm_card_visa' } });
    const placing = client.placeOrder(card, { key, waitMs: 10_000 });
    await system.until('the key is claimed', async () =>
      (await client.getKey(key)).kind === 'completed' ? true : undefined,
    );
    await system.cluster.kill('orchestrator');
    const placed = await placing;
    await system.setFaults({});
    if (placed.kind !== 'completed') throw new Error(JSON.stringify(placed));
    expect(placed.replayed).toBe(true);
    const waited = await client.waitFor(placed.body.id, { timeoutMs: 30_000 });
    expect(waited).toMatchObject({ kind: 'ended', order: { status: 'completed' } });
    const again = await client.placeOrder(card, { key });
    expect(again).toMatchObject({ kind: 'completed', replayed: true, body: { id: placed.body.id } });
    await expectSound(system);
  });

  it('follows an order over its stream of events', async () => {
    await system.setFaults({ carrier: { ...NO_FAULTS, refused: 1 } });
    const placed = await client.placeOrder(request({ payment: { method: 'pm_card_visa' } }));
    if (placed.kind !== 'completed') throw new Error(JSON.stringify(placed));
    expect(placed.body.status).toBe('processing');
    const waited = await client.waitFor(placed.body.id);
    await system.setFaults({});
    expect(waited).toMatchObject({
      kind: 'ended',
      order: { status: 'failed', failure: { reason: 'ADDRESS_REFUSED' } },
    });
  });

  it('reaches every operation of the API', async () => {
    const key = newKey();
    expect(await client.adjustStock('apple', 7, { key })).toMatchObject({ kind: 'completed', replayed: false, key });
    expect(await client.getKey(key)).toMatchObject({ kind: 'completed', body: { resource: '/v1/stock/apple' } });
    expect(await client.adjustAccount('ann', -1)).toMatchObject({ kind: 'completed' });
    expect(await client.getAccount('ann')).toMatchObject({ kind: 'completed', body: { currency: 'EUR' } });
    expect(await client.getStock(' no such sku')).toMatchObject({ kind: 'refused', problem: { status: 400 } });
    expect(await client.getConfig()).toMatchObject({ kind: 'completed', body: { idempotencyKeyLifetime: 'P1D' } });
    const page = await client.listOrders({ limit: 1 });
    if (page.kind !== 'completed') throw new Error(JSON.stringify(page));
    const [order] = page.body.orders;
    expect(page.body.nextCursor).not.toBeNull();
    expect(await client.getSaga(order?.id ?? '')).toMatchObject({ kind: 'completed', body: { id: order?.id } });
    expect(await client.cancelOrder(order?.id ?? '')).toMatchObject({
      kind: 'refused',
      problem: { code: 'cancel-refused' },
    });
    expect(await client.resumeSaga(order?.id ?? '')).toMatchObject({
      kind: 'refused',
      problem: { code: 'not-parked' },
    });
    expect(await client.retrySaga(order?.id ?? '')).toMatchObject({ problem: { code: 'saga-ended' } });
    // It has turned back by itself: there is nothing more to do.
    expect(await client.compensateSaga(order?.id ?? '')).toMatchObject({
      kind: 'completed',
      body: { status: 'failed' },
    });
    expect(await client.getOrder('nobody')).toMatchObject({ kind: 'refused', problem: { code: 'not-found' } });
  });
});

import { Metadata } from '@grpc/grpc-js';
import { type ChannelTls, type Client, connect, createClient, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSystem, newKey, orderFor, type System, setUpCatalogue } from './system.ts';

let system: System;
let orders: Client<typeof services.orders>;
let ordersAddress: string;
let tls: ChannelTls | undefined;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
  ordersAddress = system.cluster.run.services.find((service) => service.name === 'orchestrator')?.grpc ?? '';
  tls = operatorTls(system.cluster.run.tls, 'orchestrator');
  orders = createClient(services.orders, ordersAddress, tls);
});
afterAll(async () => {
  orders?.close();
  await system?.stop();
});

const request = {
  customerId: 'ann',
  currency: 'EUR',
  items: [
    { sku: 'apple', quantity: 2 },
    { sku: 'pear', quantity: 1 },
  ],
  paymentMethod: 'balance',
  shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
};
const options = (key?: string) => ({
  timeoutMs: 20_000,
  authorization: `Bearer ${system.cluster.run.apiKey}`,
  ...(key !== undefined && { key }),
});

describe('an order over gRPC', () => {
  it('G3: is placed once under its key, and the same key over HTTP stands for the same order', async () => {
    const key = newKey();
    const placed = await orders.PlaceOrder({ ...request, waitMs: 10_000 }, options(key));
    const again = await orders.PlaceOrder({ ...request, waitMs: 10_000 }, options(key));
    expect(placed).toMatchObject({
      kind: 'completed',
      replayed: false,
      message: { order: { status: 'ORDER_STATUS_COMPLETED', total: 599 } },
    });
    expect(again).toEqual({ ...placed, replayed: true });
    const overHttp = await system.send('POST', '/v1/orders', orderFor(), { key });
    expect(overHttp.headers.get('idempotent-replayed')).toBe('true');
    expect(overHttp.body.id).toBe(placed.kind === 'completed' ? placed.message.order?.id : '');
  });

  it('G3: carries what a shop shows and keeps, and is the same request as over HTTP', async () => {
    const key = newKey();
    const given = { metadata: { basket: 'b-17' }, reference: 'S-4711', expectedTotal: 1_089 };
    const items = [
      { sku: 'apple', quantity: 2, unitPrice: 250, name: 'Apples' },
      { sku: 'pear', quantity: 1 },
    ];
    const line = { name: 'Parcel', amount: 490 };
    const lines = [{ ...line, kind: 'LINE_KIND_SHIPPING' as const }];
    const placed = await orders.PlaceOrder({ ...request, ...given, items, lines, waitMs: 10_000 }, options(key));
    expect(placed).toMatchObject({
      kind: 'completed',
      message: { order: { status: 'ORDER_STATUS_COMPLETED', total: 1_089, lines, reference: 'S-4711', items } },
    });
    const overHttp = await system.send(
      'POST',
      '/v1/orders',
      orderFor({ ...given, items, lines: [{ ...line, kind: 'shipping' }] }),
      { key },
    );
    expect([overHttp.status, overHttp.headers.get('idempotent-replayed')], overHttp.text).toEqual([201, 'true']);
    const stale = await orders.PlaceOrder({ ...request, expectedTotal: 598, waitMs: 10_000 }, options(newKey()));
    const prices = { total: 599, shownTotal: 598 };
    expect(stale).toMatchObject({ message: { order: { failure: { reason: 'PRICE_CHANGED', prices } } } });
    expect(stale.kind === 'completed' && stale.message.order?.failure?.prices?.items).toEqual([
      { sku: 'apple', unitPrice: 250 },
      { sku: 'pear', unitPrice: 99 },
    ]);
  });

  it('is refused before anything is claimed: without a key of ours, without a key, with a bad field, with a reused key', async () => {
    const reason = async (call: ReturnType<typeof orders.PlaceOrder>) => {
      const result = await call;
      return result.kind === 'error' ? result.reason : 'OK';
    };
    const key = newKey();
    expect(await reason(orders.PlaceOrder(request, { timeoutMs: 5_000, key }))).toBe('UNAUTHENTICATED');
    expect(await reason(orders.PlaceOrder(request, options()))).toBe('IDEMPOTENCY_KEY_MISSING');
    expect(await reason(orders.PlaceOrder({ ...request, currency: 'euro' }, options(key)))).toBe('INVALID_REQUEST');
    expect(await reason(orders.PlaceOrder(request, options(key)))).toBe('OK');
    expect(await reason(orders.PlaceOrder({ ...request, currency: 'USD' }, options(key)))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    expect(await reason(orders.GetOrder({ id: 'no-such-order' }, options()) as never)).toBe('NOT_FOUND');
  });

  it('can be read, watched to its end, and no longer cancelled then', async () => {
    const placed = await orders.PlaceOrder(request, options(newKey()));
    const id = placed.kind === 'completed' ? (placed.message.order?.id ?? '') : '';
    const statuses = await watch(id);
    expect(statuses.at(-1)).toBe('ORDER_STATUS_COMPLETED');
    expect(await orders.GetOrder({ id }, options())).toMatchObject({
      message: { order: { id, status: 'ORDER_STATUS_COMPLETED' } },
    });
    expect(await orders.CancelOrder({ id }, options())).toMatchObject({ kind: 'error', reason: 'CANCEL_REFUSED' });
  });
});

function watch(id: string): Promise<string[]> {
  const client = connect(ordersAddress, tls);
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${system.cluster.run.apiKey}`);
  const { path, requestSerialize, responseDeserialize } = services.orders.WatchOrder;
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { id }, metadata, {
    deadline: Date.now() + 20_000,
  });
  return new Promise((resolve, reject) => {
    const statuses: string[] = [];
    stream.on('data', (change) => statuses.push(change.order?.status ?? ''));
    stream.on('end', () => {
      client.close();
      resolve(statuses);
    });
    stream.on('error', reject);
  });
}

import type { OwnedOrder } from '../src/orders/order-store.ts';

/** Any order, as the store takes it. */
export const newOrder = (id: string): OwnedOrder => ({
  id,
  order: {
    tenantId: 'shop',
    customerId: 'ann',
    currency: 'EUR',
    items: [{ sku: 'apple', quantity: 1 }],
    payment: { method: 'balance' },
    shipTo: { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
    createdAt: new Date().toISOString(),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
  fingerprint: { version: 1, digest: Buffer.from('x'), members: {} },
  answer: null,
  ownerId: 1,
  deadlineMs: 60_000,
});

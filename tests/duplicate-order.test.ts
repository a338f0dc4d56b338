import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, NO_FAULTS, newKey, orderFor, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const count = async () => {
  const orders = await system.send('GET', '/v1/orders?limit=100');
  return orders.body.orders.length as number;
};

describe('an order that is sent again under its key', () => {
  it('H4, H5, K2: is answered with the same bytes and placed once', async () => {
    const before = await count();
    const key = newKey();
    const first = await system.place({}, { key });
    await system.untilEnded(first.body.id);
    const again = await system.place({}, { key });
    expect(again.text).toBe(first.text);
    expect(again.status).toBe(201);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    for (const [reply, replayed] of [
      [first, 'false'],
      [again, 'true'],
    ] as const) {
      expect(reply.headers.get('idempotency-key')).toBe(key);
      expect(reply.headers.get('idempotent-replayed')).toBe(replayed);
      expect(Date.parse(reply.headers.get('idempotency-expires') ?? '')).toBeGreaterThan(Date.now());
    }
    expect(await count()).toBe(before + 1);
  });

  it('H2: in quotes is the same key; H8: white space and the order of members make no difference', async () => {
    const key = newKey();
    const first = await system.place({}, { key });
    const quoted = await system.place({}, { key: `"${key}"` });
    const reordered = Object.fromEntries(Object.entries(orderFor()).reverse());
    const spaced = await system.send('POST', '/v1/orders', JSON.stringify(reordered, null, 4), { key });
    expect([quoted.text, spaced.text]).toEqual([first.text, first.text]);
  });

  it('H6: as another order is refused, names what differs and no value, and leaves the first alone', async () => {
    const key = newKey();
    const first = await system.place({}, { key });
    const other = await system.place({ payment: { method: 'pm_card_visa' }, customerId: 'somebody' }, { key });
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ code: 'idempotency-key-reused', retryable: false });
    const pointers = other.body.errors.map((fault: { pointer: string }) => fault.pointer);
    expect(pointers).toEqual(['/customerId', '/payment']);
    expect(other.text).not.toMatch(/somebody|pm_card/);
    expect((await system.place({}, { key })).text).toBe(first.text);
  });

  it('H7: while the first one waits is told to come back, or waits too and gets the same end', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 1_000 } });
    const key = newKey();
    const card = { payment: { method: 'pm_card_visa' } };
    const first = system.place(card, { key, prefer: 'wait=20' });
    const early = await system.until('the key is claimed', async () => {
      const reply = await system.place(card, { key });
      return reply.status === 409 ? reply : undefined;
    });
    expect(early.body).toMatchObject({ code: 'request-in-progress', retryable: true });
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const patient = system.place(card, { key, prefer: 'wait=5' });
    await system.setFaults({});
    const [one, two] = await Promise.all([first, patient]);
    expect(one.body.status).toBe('completed');
    expect(two.text).toBe(one.text);
    expect(two.headers.get('idempotent-replayed')).toBe('true');
  });

  it('K1: after the first caller has stopped waiting gets for ever what that one was told', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 1_500 } });
    const key = newKey();
    const card = { payment: { method: 'pm_card_visa' } };
    const told = await system.place(card, { key, prefer: 'wait=1' });
    await system.setFaults({});
    expect(told.body.status).toBe('processing');
    await system.untilEnded(told.body.id);
    expect((await system.place(card, { key })).text).toBe(told.text);
  });

  it('H13: when the first caller hung up is answered with the end of the order', async () => {
    const key = newKey();
    const hungUp = fetch(`${system.cluster.run.http}/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${system.cluster.run.apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': key,
        prefer: 'wait=10',
      },
      body: JSON.stringify(orderFor()),
      signal: AbortSignal.timeout(15),
    }).catch((error: Error) => error.name);
    await hungUp;
    const retry = await system.until('the key has its answer', async () => {
      const reply = await system.place({}, { key, prefer: 'wait=5' });
      return reply.status === 201 ? reply : undefined;
    });
    expect(retry.body.customerId).toBe('ann');
  });

  it('H14: fifty times at once over two replicas is placed once, and every answer is the same or says wait', async () => {
    const before = await count();
    const key = newKey();
    const replicas = system.cluster.run.services.filter((service) => service.name === 'orchestrator');
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const response = await fetch(`${replicas[at % 2]?.http}/v1/orders`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${system.cluster.run.apiKey}`,
            'content-type': 'application/json',
            'idempotency-key': key,
            prefer: 'wait=5',
          },
          body: JSON.stringify(orderFor()),
        });
        return { status: response.status, text: await response.text() };
      }),
    );
    const bodies = new Set(replies.filter((reply) => reply.status === 201).map((reply) => reply.text));
    expect(bodies.size).toBe(1);
    expect(replies.every((reply) => reply.status === 201 || reply.status === 409)).toBe(true);
    expect(await count()).toBe(before + 1);
  });

  it('A1: has had its effects once, over all databases', async () => {
    await system.until('all orders have ended', async () => {
      const open = await system.send('GET', '/v1/orders?status=processing');
      return open.body.orders.length === 0 ? true : undefined;
    });
    await expectSound(system);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import type { ClusterEvent } from '@holdfast/cluster';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

const events: ClusterEvent[] = [];
let system: System;
beforeAll(async () => {
  system = await startSystem({ onEvent: (event) => events.push(event) });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

describe('SIGTERM', () => {
  it.each(['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const)(
    'ends %s within 10 s with exit code 0, and no order is lost',
    async (name) => {
      await system.setFaults({ payments: { ...NO_FAULTS, slow: 0.5, slowMs: 400 } });
      const card = { payment: { method: 'pm_card_visa' } };
      const placed = await Promise.all(Array.from({ length: 10 }, () => system.place(card)));
      const pid = system.cluster.run.services.find((service) => service.name === name)?.pid ?? 0;
      const askedAt = performance.now();
      process.kill(pid, 'SIGTERM');
      const died = await system.until(`${name} has ended`, async () =>
        events.find((event) => event.kind === 'died' && event.pid === pid),
      );
      expect(died).toMatchObject({ code: 0 });
      expect(performance.now() - askedAt).toBeLessThan(10_000);
      await system.cluster.untilServing(name);
      await system.setFaults({});
      const ended = await Promise.all(placed.map((reply) => system.untilEnded(reply.body.id, 60_000)));
      expect(ended.every((order) => order.status === 'completed')).toBe(true);
      await expectSound(system);
    },
  );

  it('of an orchestrator shows clients nothing but orders and retryable problems, on open connections too', async () => {
    const pid = system.cluster.run.services.find(({ name }) => name === 'orchestrator')?.pid ?? 0;
    const refused: string[] = [];
    let accepted = 0;
    let ended = false;
    const customer = async () => {
      while (!ended) {
        // A connection that breaks tells a client enough: the same key, again.
        const reply = await system.place().catch(() => undefined);
        if (reply?.status === 201) accepted += 1;
        else if (reply !== undefined && reply.body?.retryable !== true) refused.push(`${reply.status} ${reply.text}`);
      }
    };
    const customers = Array.from({ length: 24 }, customer);
    await system.until('orders are being placed', async () => (accepted > 50 ? true : undefined));
    process.kill(pid, 'SIGTERM');
    await system.until('it has ended', async () => events.find((event) => event.kind === 'died' && event.pid === pid));
    ended = true;
    await Promise.all(customers);
    expect(refused).toEqual([]);
    await system.cluster.untilServing('orchestrator');
  });

  it('of an orchestrator is not held up by who sends nothing, or half a request, or waits: its sagas are handed over', async () => {
    // Long enough to be seen under way, on a slow machine too.
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 4_000 } });
    const key = 'the-one-that-waits';
    const card = { payment: { method: 'pm_card_visa' } };
    const place = () => system.place(card, { key, prefer: 'wait=30' }).catch(() => undefined);
    let waiting = place();
    // Refused by one that has just started: the same key goes on.
    let isRefused = false;
    const watched = async () => {
      isRefused = (await waiting)?.body.retryable === true;
    };
    void watched();
    const { hostname, port } = new URL(system.cluster.run.http);
    const half = 'POST /v1/orders HTTP/1.1\r\nhost: shop\r\n';
    const sockets = ['', half, `${half}content-type: application/json\r\ncontent-length: 500\r\n\r\n{`].map((sent) => {
      const socket = connect(Number(port), hostname, () => sent !== '' && socket.write(sent));
      return socket.on('error', () => undefined);
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await system.until('the order is accepted', async () => {
      if (isRefused) {
        isRefused = false;
        waiting = place();
        void watched();
      }
      return (await system.send('GET', '/v1/orders?status=processing')).body.orders?.length > 0 ? true : undefined;
    });
    const pid = system.cluster.run.services.find(({ name }) => name === 'orchestrator')?.pid ?? 0;
    process.kill(pid, 'SIGTERM');
    const died = await system.until('it has ended', async () =>
      events.find((event) => event.kind === 'died' && event.pid === pid),
    );
    expect(died).toMatchObject({ code: 0 });
    await waiting;
    for (const socket of sockets) socket.destroy();
    await system.cluster.untilServing('orchestrator');
    await system.setFaults({});
    const { body } = await system.place(card, { key, prefer: 'wait=30' });
    expect((await system.untilEnded(body.id)).status).toBe('completed');
    await expectSound(system);
  });
});

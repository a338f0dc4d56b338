import { createClient, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, newKey, type Reply, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const CHECKED = { payment: { method: 'pm_card_authenticationRequired' } };
const PAGE = { payment: {} };

/** What the customer's browser does at the card provider. */
async function browser(path: 'confirm' | 'authenticate', body: object): Promise<number> {
  const response = await fetch(`${system.cluster.run.sandbox}/browser/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
}
const answerBank = (order: Reply['body'], outcome: 'succeed' | 'fail' = 'succeed') =>
  browser('authenticate', { clientSecret: order.nextAction.clientSecret, outcome });

describe('an order that its customer has to confirm', () => {
  it('S7, K2: says at once what is to be done, the same to every retry, and completes when it is done', async () => {
    const key = newKey();
    const startedAtMs = performance.now();
    const placed = await system.place(CHECKED, { key, prefer: 'wait=30' });
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    expect(placed).toMatchObject({
      status: 201,
      body: {
        status: 'awaiting_payment',
        total: 599,
        paymentId: null,
        failure: null,
        nextAction: { type: 'authenticate', clientSecret: expect.stringMatching(/^pi_\w+_secret_\w+$/) },
      },
    });
    const leftMs = Date.parse(placed.body.nextAction.expiresAt) - Date.now();
    expect(Math.abs(leftMs - 15 * 60_000)).toBeLessThan(60_000);
    const again = await system.place(CHECKED, { key });
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([placed.text, 'true']);
    const listed = await system.send('GET', '/v1/orders?status=awaiting_payment');
    expect(listed.body.orders.map(({ id }: { id: string }) => id)).toContain(placed.body.id);
    expect(await answerBank(placed.body)).toBe(200);
    const ended = await system.untilEnded(placed.body.id);
    expect(ended).toMatchObject({ status: 'completed', nextAction: null, paymentId: expect.stringMatching(/^pi_/) });
    // K2: the first answer stays what it was.
    expect((await system.place(CHECKED, { key })).text).toBe(placed.text);
  });

  it('without a payment method is paid on the shop’s page', async () => {
    const { body: order } = await system.place(PAGE, { prefer: 'wait=30' });
    expect(order).toMatchObject({ status: 'awaiting_payment', nextAction: { type: 'confirm' } });
    const { clientSecret } = order.nextAction;
    expect(await browser('confirm', { clientSecret, paymentMethod: 'pm_card_visa' })).toBe(200);
    expect(await system.untilEnded(order.id)).toMatchObject({ status: 'completed' });
  });

  it('is told by its events, with what is to be done', async () => {
    const { body: order } = await system.place(CHECKED);
    const response = await fetch(`${system.cluster.run.http}/v1/orders/${order.id}/events`, {
      headers: { authorization: `Bearer ${system.cluster.run.apiKey}` },
      signal: AbortSignal.timeout(40_000),
    });
    const seen: string[] = [];
    let text = '';
    for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name as string);
      if (names.includes('awaiting_payment') && !seen.includes('awaiting_payment')) {
        const data = /event: awaiting_payment\ndata: (.*)\n/.exec(text)?.[1];
        if (data === undefined) continue;
        expect(await answerBank(JSON.parse(data))).toBe(200);
      }
      seen.splice(0, seen.length, ...names);
    }
    expect(seen.at(-1)).toBe('completed');
    expect(seen.filter((name) => name === 'awaiting_payment')).toHaveLength(1);
  });

  it('S5: fails when the customer does not pass the bank’s check, and gives the stock back', async () => {
    const { body: order } = await system.place(CHECKED, { prefer: 'wait=30' });
    expect(await answerBank(order, 'fail')).toBe(200);
    const ended = await system.untilEnded(order.id);
    expect(ended).toMatchObject({ status: 'failed', nextAction: null, failure: { reason: 'CARD_DECLINED' } });
    expect(await browser('confirm', { ...order.nextAction, paymentMethod: 'pm_card_visa' })).not.toBe(200);
  });

  it('K3: is cancelled while it waits, and can’t be paid any more', async () => {
    const { body: order } = await system.place(CHECKED, { prefer: 'wait=30' });
    const cancelled = await system.send('POST', `/v1/orders/${order.id}/cancel`);
    expect([200, 202]).toContain(cancelled.status);
    expect(await system.untilEnded(order.id)).toMatchObject({ status: 'cancelled', nextAction: null });
    expect(await answerBank(order)).toBe(400);
  });

  it('off session fails at once, and does not say that the card was declined', async () => {
    const payment = { ...CHECKED.payment, offSession: true, customer: 'cus_1' };
    const { body: order } = await system.place({ payment }, { prefer: 'wait=30' });
    expect(order).toMatchObject({
      status: 'failed',
      failure: { step: 'charge-payment', reason: 'PAYMENT_NOT_CONFIRMED' },
    });
  });

  it('says the same over gRPC', async () => {
    const address = system.cluster.run.services.find(({ name }) => name === 'orchestrator')?.grpc ?? '';
    const client = createClient(services.orders, address, operatorTls(system.cluster.run.tls, 'orchestrator'));
    const { body: order } = await system.place(
      { payment: { ...CHECKED.payment, returnUrl: 'https://shop.example/back' } },
      { prefer: 'wait=30' },
    );
    const options = { timeoutMs: 10_000, authorization: `Bearer ${system.cluster.run.apiKey}` };
    const got = await client.GetOrder({ id: order.id }, options);
    client.close();
    expect(order.nextAction).toMatchObject({ type: 'redirect', redirectUrl: expect.stringMatching(/^http/) });
    expect(got).toMatchObject({
      kind: 'completed',
      message: { order: { status: 'ORDER_STATUS_AWAITING_PAYMENT', nextAction: order.nextAction } },
    });
    expect(await answerBank(order)).toBe(200);
    expect(await system.untilEnded(order.id)).toMatchObject({ status: 'completed' });
  });
});

it.each([
  ['/payment/customer', { method: 'balance', customer: 'cus_1' }],
  ['/payment/offSession', { offSession: true }],
  ['/payment/returnUrl', { method: 'pm_card_visa', returnUrl: 'javascript:alert(1)' }],
])('a payment that contradicts itself is refused, naming %s', async (pointer, payment) => {
  const reply = await system.place({ payment });
  expect(reply).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  expect(reply.body.errors[0].pointer).toBe(pointer);
});

it('A1: the books are right', () => expectSound(system));

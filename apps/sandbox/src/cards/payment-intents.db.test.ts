import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, ledgerOf, startTestSandbox, stripeAt, type TestSandbox } from '../../test/test-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const metadata = { order_id: 'ord_1', tenant_id: 'shop' };
const create = (more: object = {}) =>
  sandbox.stripe.paymentIntents.create({
    amount: 1999,
    currency: 'EUR',
    payment_method: 'pm_card_visa',
    allowed_payment_method_types: ['card'],
    metadata,
    ...more,
  });

describe('a payment intent', () => {
  it('is created without an effect, in the shape that the SDK expects', async () => {
    const intent = await create({ description: 'two lamps' });
    expect(intent).toMatchObject({
      object: 'payment_intent',
      amount: 1999,
      amount_received: 0,
      currency: 'eur',
      status: 'requires_confirmation',
      latest_charge: null,
      last_payment_error: null,
      livemode: false,
      payment_method: 'pm_card_visa',
      payment_method_types: ['card'],
      description: 'two lamps',
      metadata,
    });
    expect(intent.id).toMatch(/^pi_/);
    expect(intent.client_secret).toContain(intent.id);
    expect(Math.abs(intent.created - Date.now() / 1_000)).toBeLessThan(60);
    expect(await ledgerOf(sandbox.db, intent.id)).toEqual([]);

    const { lastResponse, ...retrieved } = await sandbox.stripe.paymentIntents.retrieve(intent.id);
    const { lastResponse: first, ...created } = intent;
    expect(retrieved).toEqual(created);
    expect(lastResponse.requestId).toMatch(/^req_/);
    expect(first.requestId).not.toBe(lastResponse.requestId);
  });

  it('is captured by its confirmation, once, with one entry in the ledger', async () => {
    const { id } = await create();
    const confirmed = await sandbox.stripe.paymentIntents.confirm(id, { expand: ['latest_charge'] });
    expect(confirmed).toMatchObject({ status: 'succeeded', amount_received: 1999 });
    expect(confirmed.latest_charge).toMatchObject({
      object: 'charge',
      amount_captured: 1999,
      amount_refunded: 0,
      paid: true,
      refunded: false,
      status: 'succeeded',
      payment_intent: id,
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1999 }]);
  });

  it('may be created and confirmed in one call', async () => {
    const intent = await create({ confirm: true, payment_method: 'pm_card_mastercard' });
    expect(intent.status).toBe('succeeded');
    expect(await ledgerOf(sandbox.db, intent.id)).toEqual([{ kind: 'captured', amount: 1999 }]);
  });

  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ])('that is declined (%s) tells why, takes nothing, and can be paid with another card', async (card, declineCode) => {
    const { id } = await create({ payment_method: card });
    const error = await errorOf(sandbox.stripe.paymentIntents.confirm(id));
    expect(error).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      decline_code: declineCode,
      payment_intent: { id, status: 'requires_payment_method' },
    });
    const declined = await sandbox.stripe.paymentIntents.retrieve(id);
    expect(declined).toMatchObject({
      status: 'requires_payment_method',
      amount_received: 0,
      payment_method: null,
      last_payment_error: { type: 'card_error', code: 'card_declined', decline_code: declineCode },
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);

    const paid = await sandbox.stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' });
    expect(paid).toMatchObject({ status: 'succeeded', last_payment_error: null });
  });

  it('that is declined when created and confirmed in one call exists, unpaid', async () => {
    const error = await errorOf(create({ confirm: true, payment_method: 'pm_card_chargeDeclined' }));
    const { id } = error.payment_intent as { id: string };
    expect((await sandbox.stripe.paymentIntents.retrieve(id)).status).toBe('requires_payment_method');
  });

  it('that has succeeded is neither confirmed nor cancelled again', async () => {
    const { id } = await create({ confirm: true });
    const unexpected = { statusCode: 400, code: 'payment_intent_unexpected_state', payment_intent: { id } };
    expect(await errorOf(sandbox.stripe.paymentIntents.confirm(id))).toMatchObject(unexpected);
    expect(await errorOf(sandbox.stripe.paymentIntents.cancel(id))).toMatchObject(unexpected);
    expect(await ledgerOf(sandbox.db, id)).toHaveLength(1);
  });

  it('that was cancelled is never captured', async () => {
    const { id } = await create();
    const canceled = await sandbox.stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect(canceled.canceled_at).toBeTypeOf('number');
    const unexpected = { statusCode: 400, code: 'payment_intent_unexpected_state' };
    expect(await errorOf(sandbox.stripe.paymentIntents.confirm(id))).toMatchObject(unexpected);
    expect(await errorOf(sandbox.stripe.paymentIntents.cancel(id))).toMatchObject(unexpected);
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });

  it('K2: is captured once however many confirmations with keys of their own arrive together', async () => {
    // Several rounds: in the first one the pool still opens its connections and the calls hardly overlap.
    for (let round = 0; round < 6; round += 1) {
      const { id } = await create();
      const calls = Array.from({ length: 16 }, (_, n) =>
        sandbox.stripe.paymentIntents.confirm(id, {}, { idempotencyKey: `race-${id}-${n}` }).then(
          () => 'captured',
          (error: { code?: string }) => error.code,
        ),
      );
      const outcomes = await Promise.all(calls);
      expect(outcomes.filter((outcome) => outcome === 'captured')).toHaveLength(1);
      expect(new Set(outcomes)).toEqual(new Set(['captured', 'payment_intent_unexpected_state']));
      expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1999 }]);
    }
  });

  it('K2: ends captured or cancelled, never both, when the two arrive together', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { id } = await create();
      await Promise.allSettled([sandbox.stripe.paymentIntents.confirm(id), sandbox.stripe.paymentIntents.cancel(id)]);
      const { status } = await sandbox.stripe.paymentIntents.retrieve(id);
      expect(['succeeded', 'canceled']).toContain(status);
      expect(await ledgerOf(sandbox.db, id)).toHaveLength(status === 'succeeded' ? 1 : 0);
    }
  });

  it('is listed newest first, page by page', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift((await create()).id);
    const first = await sandbox.stripe.paymentIntents.list({ limit: 2 });
    expect(first.data.map((intent) => intent.id)).toEqual(made.slice(0, 2));
    expect(first.has_more).toBe(true);
    const rest = await sandbox.stripe.paymentIntents.list({
      limit: 3,
      starting_after: made[1] ?? '',
      expand: ['data.latest_charge'],
    });
    expect(rest.data.map((intent) => intent.id)).toEqual(made.slice(2));
    expect(await errorOf(sandbox.stripe.paymentIntents.list({ starting_after: 'pi_none' }))).toMatchObject({
      code: 'resource_missing',
      param: 'starting_after',
    });
  });
});

describe('the payment API refuses, naming the place', () => {
  it.each([
    ['amount', { amount: 0 }, 'parameter_invalid_integer'],
    ['amount', { amount: 100_000_000 }, 'amount_too_large'],
    ['amount', { amount: 1.5 }, 'parameter_invalid_integer'],
    ['currency', { currency: 'zzq' }, undefined],
    ['payment_method', { payment_method: 'pm_nobody' }, 'resource_missing'],
    ['payment_method_types', { payment_method_types: ['sepa_debit'] }, undefined],
    ['capture_method', { capture_method: 'sometimes' }, undefined],
    ['expand', { expand: ['customer'] }, undefined],
    ['colour', { colour: 'red' }, 'parameter_unknown'],
    ['metadata[note]', { metadata: { note: 'x'.repeat(501) } }, undefined],
    ['description', { description: 'a\0b' }, undefined],
  ])('a wrong %s: %j', async (param, wrong, code) => {
    const error = await errorOf(create(wrong));
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400, param });
    expect(error.code).toBe(code);
  });

  it('nothing when card is named as the only method type, by the name of either API version', async () => {
    const form = { amount: 5, currency: 'eur', payment_method_types: ['card'], allowed_payment_method_types: ['card'] };
    const created = await sandbox.stripe.rawRequest('POST', '/v1/payment_intents', form);
    expect(created).toMatchObject({ object: 'payment_intent', status: 'requires_payment_method' });
  });

  it('a missing amount', async () => {
    const error = await errorOf(sandbox.stripe.rawRequest('POST', '/v1/payment_intents', { currency: 'eur' }));
    expect(error).toMatchObject({ statusCode: 400, code: 'parameter_missing', param: 'amount' });
  });

  it('an intent that does not exist', async () => {
    const missing = { statusCode: 404, code: 'resource_missing', param: 'intent' };
    const id = `pi_${'0'.repeat(24)}`;
    for (const wrong of [id, 'pi_x', 'pi_%00']) {
      expect(await errorOf(sandbox.stripe.paymentIntents.retrieve(wrong))).toMatchObject(missing);
      expect(await errorOf(sandbox.stripe.paymentIntents.confirm(wrong))).toMatchObject(missing);
    }
  });

  it('a missing or wrong key with 401', async () => {
    const port = Number(new URL(sandbox.url).port);
    const error = await errorOf(stripeAt(port, 'sk_test_somebody').paymentIntents.list());
    expect(error).toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 });
    const bare = await fetch(`${sandbox.url}/v1/payment_intents`);
    expect(bare.status).toBe(401);
  });

  it('an unknown call with 404, JSON with 415 and a body over 64 KiB with 413', async () => {
    expect(await errorOf(sandbox.stripe.customers.list())).toMatchObject({ statusCode: 404 });
    const headers = { authorization: 'Bearer sk_test_holdfast' };
    const post = (type: string, body: string) =>
      fetch(`${sandbox.url}/v1/payment_intents`, {
        method: 'POST',
        headers: { ...headers, 'content-type': type },
        body,
      });
    expect((await post('application/json', '{}')).status).toBe(415);
    expect((await post('application/x-www-form-urlencoded', `a=${'x'.repeat(65 * 1024)}`)).status).toBe(413);
  });
});

import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, ledgerOf, sendJson, startTestSandbox, type TestSandbox } from '../../test/test-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const create = (more: Stripe.PaymentIntentCreateParams | object = {}) =>
  sandbox.stripe.paymentIntents.create({ amount: 1_999, currency: 'eur', ...more });
const statusOf = async (id: string) => (await sandbox.stripe.paymentIntents.retrieve(id)).status;

describe('3-D Secure', () => {
  it.each(['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required'])(
    'with %s takes nothing until the customer has answered the bank',
    async (payment_method) => {
      const { id, client_secret: clientSecret } = await create({ payment_method });
      const asked = await sandbox.stripe.paymentIntents.confirm(id);
      expect(asked).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
      expect(await ledgerOf(sandbox.db, id)).toEqual([]);
      const answered = await sandbox.play('/browser/authenticate', {
        clientSecret: clientSecret ?? '',
        outcome: 'succeed',
      });
      expect(answered).toMatchObject({ status: 'succeeded', next_action: null, amount_received: 1_999 });
      expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_999 }]);
    },
  );

  it('sends the customer to a page of the bank where there is one to come back to', async () => {
    const return_url = 'https://shop.example/back';
    const { id } = await create({ payment_method: 'pm_card_authenticationRequired' });
    const asked = await sandbox.stripe.paymentIntents.confirm(id, { return_url });
    const redirect = asked.next_action?.redirect_to_url;
    expect(redirect?.return_url).toBe(return_url);
    const page = await fetch(redirect?.url ?? '');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Is it you who pays?')]);
  });

  it('that fails takes nothing, tells why, and lets another card pay', async () => {
    const { id, client_secret: clientSecret } = await create({
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
    });
    const failed = await sandbox.play('/browser/authenticate', { clientSecret: clientSecret ?? '', outcome: 'fail' });
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
    await sandbox.play('/browser/confirm', { clientSecret: clientSecret ?? '', paymentMethod: 'pm_card_visa' });
    expect(await statusOf(id)).toBe('succeeded');
  });

  it('that is passed for a card that is declined all the same takes nothing', async () => {
    const { id, client_secret: clientSecret } = await create({
      payment_method: 'pm_card_threeDSecureRequiredChargeDeclined',
      confirm: true,
    });
    await sandbox.play('/browser/authenticate', { clientSecret: clientSecret ?? '', outcome: 'succeed' });
    expect(await sandbox.stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined' },
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });

  it('for which nobody is there, or nobody waits, is an error', async () => {
    const card = { payment_method: 'pm_card_authenticationRequired' };
    for (const nobody of [{ off_session: true }, { error_on_requires_action: true }]) {
      const { id } = await create(card);
      const error = await errorOf(sandbox.stripe.paymentIntents.confirm(id, nobody));
      expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code: 'authentication_required' });
    }
  });

  it('K2: answered and cancelled at the same instant ends as one of the two', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { id, client_secret: clientSecret } = await create({
        payment_method: 'pm_card_authenticationRequired',
        confirm: true,
      });
      await Promise.allSettled([
        sendJson(sandbox.url, 'POST', '/browser/authenticate', { clientSecret, outcome: 'succeed' }),
        sandbox.stripe.paymentIntents.cancel(id),
      ]);
      const status = await statusOf(id);
      expect(['succeeded', 'canceled']).toContain(status);
      expect(await ledgerOf(sandbox.db, id)).toHaveLength(status === 'succeeded' ? 1 : 0);
    }
  });

  it('is not answered by who does not have the client secret', async () => {
    const { id } = await create({ payment_method: 'pm_card_authenticationRequired', confirm: true });
    const wrong = { clientSecret: `${id}_secret_guessed`, outcome: 'succeed' };
    expect((await sendJson(sandbox.url, 'POST', '/browser/authenticate', wrong)).status).toBe(404);
    expect(await statusOf(id)).toBe('requires_action');
  });
});

describe('the shop’s page', () => {
  it('confirms an intent that was created without a payment method', async () => {
    const { id, status, client_secret: clientSecret } = await create();
    expect(status).toBe('requires_payment_method');
    const paid = await sandbox.play('/browser/confirm', {
      clientSecret: clientSecret ?? '',
      paymentMethod: 'pm_card_visa',
    });
    expect(paid).toMatchObject({ status: 'succeeded' });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_999 }]);
  });

  it('is told that a card was declined, and may bring another', async () => {
    const { id, client_secret: clientSecret } = await create();
    const declined = { clientSecret, paymentMethod: 'pm_card_chargeDeclined' };
    expect((await sendJson(sandbox.url, 'POST', '/browser/confirm', declined)).status).toBe(402);
    await sandbox.play('/browser/confirm', { clientSecret: clientSecret ?? '', paymentMethod: 'pm_card_visa' });
    expect(await statusOf(id)).toBe('succeeded');
  });
});

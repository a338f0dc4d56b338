/*
 * The bank, for tests and demos that do not wait until it decides by itself: it settles what is processing or pending, lets
 * authorisations run out, and takes disputes.
 */
import type { FastifyInstance } from 'fastify';
import { changeByBank, type PaymentApi } from '../api/payment-api.ts';
import type { Decision } from '../api/provider-idempotency.ts';
import { invalidRequest, ok, type StripeAnswer } from '../api/stripe-answer.ts';
import { cancelIntent, type Intent, settleIntent } from '../cards/payment-intent.ts';
import { intentIdOf, noSuchIntent, outcome, unexpectedState } from '../cards/payment-intents.ts';
import { settleRefund } from '../cards/refunds.ts';
import { renderIntent } from '../cards/render-intent.ts';
import { changeOf } from '../cards/write-intent.ts';
import { closeDispute, openDispute } from './disputes.ts';

const id = { type: 'string', minLength: 1, maxLength: 100 };
const schemaOf = (properties: object, required = Object.keys(properties)) => ({
  body: { type: 'object', additionalProperties: false, required, properties },
});
const OUTCOME = { enum: ['succeed', 'fail'] };

/** `POST /bank/…`: each names its object, and says what the bank does. */
export function bankRoutes(app: FastifyInstance, api: PaymentApi): void {
  const route = <Body>(path: string, schema: object, act: (body: Body) => Promise<StripeAnswer>) =>
    app.post(path, { schema }, async (request, reply) => {
      const answer = await act(request.body as Body);
      return reply.code(answer.status).type('application/json; charset=utf-8').send(answer.body);
    });
  route<{ paymentIntent: string; outcome: 'succeed' | 'fail' }>(
    '/bank/settle',
    schemaOf({ paymentIntent: id, outcome: OUTCOME }),
    (body) => settlePayment(api, body.paymentIntent, body.outcome === 'succeed'),
  );
  route<{ paymentIntent: string }>('/bank/expire', schemaOf({ paymentIntent: id }), (body) =>
    expireAuthorization(api, body.paymentIntent),
  );
  route<{ refund: string; outcome: 'succeed' | 'fail' }>(
    '/bank/refunds',
    schemaOf({ refund: id, outcome: OUTCOME }),
    async (body) =>
      (await settleRefund(api, body.refund, body.outcome === 'succeed')) ??
      invalidRequest('There is no such refund, or it has come to its end.', { param: 'refund' }),
  );
  route<{ paymentIntent: string; reason?: string }>(
    '/bank/disputes',
    schemaOf({ paymentIntent: id, reason: { type: 'string', pattern: '^[a-z_]{1,40}$' } }, ['paymentIntent']),
    (body) => openDispute(api, body.paymentIntent, body.reason ?? 'fraudulent'),
  );
  route<{ dispute: string; outcome: 'won' | 'lost' }>(
    '/bank/disputes/close',
    schemaOf({ dispute: id, outcome: { enum: ['won', 'lost'] } }),
    (body) => closeDispute(api, body.dispute, body.outcome),
  );
}

export function settlePayment(api: PaymentApi, intentId: string, succeeds: boolean): Promise<StripeAnswer> {
  return onIntent(api, intentId, (intent, at) => {
    const settled = settleIntent(intent, succeeds, api.faults.bankTimes(), at);
    if (settled.kind !== 'moved') {
      const why = settled.kind === 'declined' ? settled.error.message : settled.message;
      return outcome(unexpectedState(why, intent), null);
    }
    return outcome(ok(renderIntent(settled.intent)), changeOf(api, intent, settled.intent));
  });
}

/** An authorisation that nobody has captured in time. */
export function expireAuthorization(api: PaymentApi, intentId: string): Promise<StripeAnswer> {
  return onIntent(api, intentId, (intent, at) => {
    if (intent.status !== 'requires_capture') {
      return outcome(unexpectedState(`This PaymentIntent is ${intent.status}: nothing can expire.`, intent), null);
    }
    const expired = cancelIntent(intent, 'automatic', at);
    if (expired.kind === 'unexpected-state') return outcome(unexpectedState(expired.message, intent), null);
    return outcome(ok(renderIntent(expired.intent)), changeOf(api, intent, expired.intent));
  });
}

function onIntent(
  api: PaymentApi,
  intentId: string,
  decide: (intent: Intent, at: number) => Decision,
): Promise<StripeAnswer> {
  return changeByBank(api, intentIdOf(intentId), ({ intent, at }) =>
    intent === null ? { kind: 'invalid', answer: noSuchIntent(intentId) } : decide(intent, at),
  );
}

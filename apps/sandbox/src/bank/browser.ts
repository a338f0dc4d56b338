/*
 * The customer's browser: the shop's page confirms a payment with its client secret, and the bank asks on a page of its own.
 * A client secret is all that a browser has, and all that it needs.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { changeByBank, type PaymentApi } from '../api/payment-api.ts';
import { noSuch, ok, type StripeAnswer } from '../api/stripe-answer.ts';
import { answerChallenge, type Confirmed, confirmIntent, type Intent } from '../cards/payment-intent.ts';
import { attemptOf, confirmedDecision, newId, outcome, unexpectedState } from '../cards/payment-intents.ts';
import { paymentMethodFault } from '../cards/payment-methods.ts';
import { clientSecretOf, intentOfClientSecret, renderIntent } from '../cards/render-intent.ts';
import { changeOf } from '../cards/write-intent.ts';

const secret = { type: 'string', minLength: 1, maxLength: 200 };
const CONFIRM_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['clientSecret'],
  properties: {
    clientSecret: secret,
    paymentMethod: { type: 'string', maxLength: 200 },
    returnUrl: { type: 'string', maxLength: 1_000 },
  },
};
const AUTHENTICATE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['clientSecret', 'outcome'],
  properties: { clientSecret: secret, outcome: { enum: ['succeed', 'fail'] } },
};
interface Confirm {
  clientSecret: string;
  paymentMethod?: string;
  returnUrl?: string;
}
interface Authenticate {
  clientSecret: string;
  outcome: 'succeed' | 'fail';
}

/** Of the page on which the bank asks. */
export function challengePath(clientSecret: string): string {
  return `/browser/challenge/${clientSecret}`;
}

/** `POST /browser/confirm`, `POST /browser/authenticate`, and the bank's page. Who abandons a payment sends nothing. */
export function browserRoutes(app: FastifyInstance, api: PaymentApi): void {
  app.post<{ Body: Confirm }>('/browser/confirm', { schema: { body: CONFIRM_SCHEMA } }, async (request, reply) =>
    send(reply, await confirm(api, request.body)),
  );
  app.post<{ Body: Authenticate }>(
    '/browser/authenticate',
    { schema: { body: AUTHENTICATE_SCHEMA } },
    async (request, reply) => send(reply, await authenticate(api, request.body)),
  );
  app.get<{ Params: { secret: string } }>('/browser/challenge/:secret', async (request, reply) => {
    const intentId = intentOfClientSecret(request.params.secret);
    if (intentId === null) return send(reply, noSuch('payment_intent', request.params.secret, 'client_secret'));
    return reply.type('text/html; charset=utf-8').send(challengePage(request.params.secret));
  });
}

async function confirm(api: PaymentApi, given: Confirm): Promise<StripeAnswer> {
  const { clientSecret, paymentMethod = null, returnUrl = null } = given;
  const fault = paymentMethodFault(paymentMethod);
  if (fault) return fault;
  const chargeId = newId('ch_');
  const { refused } = api.faults.draw('payments');
  return await onIntentOf(api, clientSecret, (intent, at) => {
    const confirmation = { paymentMethod, returnUrl, offSession: false, errorOnAction: false };
    return confirmIntent(intent, attemptOf(api, confirmation, { intentId: intent.intentId, chargeId, refused, at }));
  });
}

async function authenticate(api: PaymentApi, { clientSecret, outcome: wanted }: Authenticate): Promise<StripeAnswer> {
  const { refused } = api.faults.draw('payments');
  return await onIntentOf(api, clientSecret, (intent, at) =>
    answerChallenge(intent, wanted === 'succeed', { times: api.faults.bankTimes(), at, refused }),
  );
}

async function onIntentOf(
  api: PaymentApi,
  clientSecret: string,
  move: (intent: Intent, at: number) => Confirmed,
): Promise<StripeAnswer> {
  const intentId = intentOfClientSecret(clientSecret);
  const missing = noSuch('payment_intent', clientSecret, 'client_secret');
  return await changeByBank(api, intentId, ({ intent, at }) => {
    if (intent === null) return { kind: 'invalid', answer: missing };
    const moved = move(intent, at);
    if (moved.kind === 'unexpected-state') return outcome(unexpectedState(moved.message, intent), null);
    if (moved.kind === 'moved') return outcome(ok(renderIntent(moved.intent)), changeOf(api, intent, moved.intent));
    const noFault = { refused: false, error500: null, happened: () => {} };
    return confirmedDecision(moved, intent, new Set(), noFault, (next) => changeOf(api, intent, next));
  });
}

function send(reply: FastifyReply, answer: StripeAnswer): FastifyReply {
  return reply.code(answer.status).type('application/json; charset=utf-8').send(answer.body);
}

/** For people who look at the demo: a bank's page with its two answers. */
function challengePage(clientSecret: string): string {
  const answer = (outcomeOf: string) => `fetch('/browser/authenticate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientSecret: '${clientSecretOf(intentOfClientSecret(clientSecret) ?? '')}', outcome: '${outcomeOf}' }),
  }).then((reply) => reply.json()).then((intent) => { document.body.textContent = intent.status ?? intent.error.message; })`;
  return `<!doctype html><title>Your bank</title><p>Is it you who pays?</p>
<button onclick="${escapeAttribute(answer('succeed'))}">Yes</button>
<button onclick="${escapeAttribute(answer('fail'))}">No</button>`;
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

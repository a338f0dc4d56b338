import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { classifyPostgresError } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FaultPlan, Faults } from '../faults.ts';
import type { Store } from '../store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { type Decision, executeOnce, type Seen } from './provider-idempotency.ts';
import type { RecentIntents } from './recent-intents.ts';
import {
  failure,
  invalidRequest,
  LOCK_TIMEOUT,
  SERVER_ERROR,
  STORE_UNAVAILABLE,
  type StripeAnswer,
} from './stripe-answer.ts';
import { type Pairs, Params } from './stripe-params.ts';

/** What every route of the payment API goes through: authentication, parameters, idempotency, faults, errors. */
export interface PaymentApi extends Store {
  faults: Faults;
  log: Log;
  secretKey: string;
  recent: RecentIntents;
  webhooks: Webhooks;
  /** The page on which the bank asks the customer of an intent. */
  challengeUrl(clientSecret: string): string;
}

export type Prepared =
  | { kind: 'invalid'; answer: StripeAnswer }
  | {
      kind: 'ready';
      intentId: string | null;
      /** False where it nearly always meets a new intent, or one that was made a moment ago. */
      readFirst: boolean;
      decide: (seen: Seen, faults: FaultPlan) => Decision;
    };
export type WithId = { Params: { id: string } };

const KEY_MAX = 255;

/** A POST: `prepare` reads all parameters, `decide` (called with what is stored) makes the outcome. */
export function changing(
  api: PaymentApi,
  prepare: (params: Params, id: string) => Prepared,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const pairs = (request.body as Pairs | undefined) ?? [];
    const key = request.headers['idempotency-key'] ?? null;
    if (key !== null) reply.header('idempotency-key', key);
    if (key !== null && (typeof key !== 'string' || key === '' || key.length > KEY_MAX)) {
      return send(reply, invalidRequest(`The Idempotency-Key header must have 1 to ${KEY_MAX} characters.`));
    }
    const params = new Params(pairs);
    const prepared = prepare(params, (request.params as { id?: string }).id ?? '');
    const fault = params.fault();
    if (fault) return send(reply, fault);
    if (prepared.kind === 'invalid') return send(reply, prepared.answer);

    const plan = api.faults.draw('payments');
    const operation = `POST ${request.url.split('?')[0]}`;
    const { intentId } = prepared;
    const expected = prepared.readFirst ? null : expectedBy(api, intentId, plan);
    const executed = await executeOnce(
      api,
      { key, operation, pairs, requestId: request.id, intentId, expected, faults: plan },
      (seen) => prepared.decide(seen, plan),
    );
    if (executed.made) api.recent.keep(executed.made);
    if (executed.replayOf !== null) {
      reply.header('idempotent-replayed', 'true').header('original-request', executed.replayOf);
    }
    await api.webhooks.written(executed.events);
    return api.faults.deliver(reply, plan, () => send(reply, executed.answer));
  };
}

/** A change that no caller of the API asks for: by the bank, or by the bank's customer. It meets no faults. */
export async function changeByBank(
  api: PaymentApi,
  intentId: string | null,
  decide: (seen: Seen) => Decision,
): Promise<StripeAnswer> {
  const request = { key: null, operation: 'bank', pairs: [], requestId: newRequestId(), intentId, expected: null };
  const executed = await executeOnce(api, { ...request, faults: NO_FAULT }, decide);
  await api.webhooks.written(executed.events);
  return executed.answer;
}

const NO_FAULT: FaultPlan = { refused: false, error500: null, lostAnswer: false, slowMs: 0, happened: () => {} };

/** @returns null when there is nothing to go by */
function expectedBy({ recent }: PaymentApi, intentId: string | null, plan: FaultPlan): Seen | null {
  // A drawn fault counts as met by a request that is decided anew, and not by a replay: that is to be known first.
  if (plan.refused || plan.error500 !== null) return null;
  const intent = intentId === null ? null : recent.take(intentId);
  return intent === undefined ? null : { at: Math.floor(Date.now() / 1_000), intent };
}

/** A GET. */
export function reading(
  read: (params: Params, id: string) => Promise<StripeAnswer>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const query = request.url.split('?')[1] ?? '';
    const params = new Params([...new URLSearchParams(query)]);
    return send(reply, await read(params, (request.params as { id?: string }).id ?? ''));
  };
}

function send(reply: FastifyReply, answer: StripeAnswer): FastifyReply {
  // A stored 500 comes back for as long as its key lives: Stripe tells its SDKs not to try again.
  if (answer.status === 500) reply.header('stripe-should-retry', 'false');
  return reply
    .code(answer.status)
    .header('request-id', reply.request.id)
    .type('application/json; charset=utf-8')
    .send(answer.body);
}

export function newRequestId(): string {
  return `req_${randomBytes(9).toString('hex')}`;
}

/** Registers routes under Stripe's rules: bearer authentication, form bodies, errors in Stripe's shape. */
export function paymentRoutes(
  app: FastifyInstance,
  api: PaymentApi,
  ...routes: ((scope: FastifyInstance, api: PaymentApi) => void)[]
): void {
  app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
        done(null, [...new URLSearchParams(String(body))]);
      });
      scope.addHook('onRequest', async (request, reply) => {
        const fault = authenticationFault(request.headers.authorization, api.secretKey);
        return fault ? send(reply, fault) : undefined;
      });
      scope.setErrorHandler((error: Error & { statusCode?: number }, request, reply) =>
        send(reply, answerOf(error, request, api.log)),
      );
      scope.setNotFoundHandler((request, reply) =>
        send(
          reply,
          failure(404, {
            type: 'invalid_request_error',
            message: `Unrecognized request URL (${request.method}: ${request.url.split('?')[0]}). See the list of calls in the API reference.`,
          }),
        ),
      );
      for (const route of routes) route(scope, api);
    },
    { prefix: '/v1' },
  );
}

function authenticationFault(header: string | undefined, secretKey: string): StripeAnswer | null {
  const refuse = (message: string) => failure(401, { type: 'invalid_request_error', message });
  if (header === undefined) {
    return refuse(
      "You did not provide an API key. Send it in the Authorization header, as in 'Authorization: Bearer YOUR_SECRET_KEY'.",
    );
  }
  const [, scheme = '', credentials = ''] = /^(Bearer|Basic)\s+(\S+)$/i.exec(header) ?? [];
  const given =
    scheme.toLowerCase() === 'basic' ? Buffer.from(credentials, 'base64').toString().split(':')[0] : credentials;
  if (!timingSafeEqual(sha256(given ?? ''), sha256(secretKey))) {
    return refuse('Invalid API Key provided. Use the secret key that this sandbox was started with.');
  }
  return null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function answerOf(error: Error & { statusCode?: number }, request: FastifyRequest, log: Log): StripeAnswer {
  const status = error.statusCode;
  if (status === 415) {
    return failure(415, {
      type: 'invalid_request_error',
      message: 'Send parameters with Content-Type: application/x-www-form-urlencoded.',
    });
  }
  if (status !== undefined && status < 500)
    return failure(status, { type: 'invalid_request_error', message: error.message });
  const fault = classifyPostgresError(error);
  // Rolled back by the server: the claim is gone with the effect.
  if (fault === 'contended') return LOCK_TIMEOUT;
  log.error({ route: request.routeOptions.url, fault, error: error.message, stack: error.stack }, 'a request failed');
  return fault === 'unavailable' ? STORE_UNAVAILABLE : SERVER_ERROR;
}

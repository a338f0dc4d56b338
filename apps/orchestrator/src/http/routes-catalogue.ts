import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { CallOptions, CallResult } from '@holdfast/rpc';
import { newTraceparent } from '@holdfast/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Participants } from '../participants.ts';
import { keyHeaders, keyOf } from './key.ts';
import { errorResponses, keyHeader } from './openapi.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { Account, AccountBody, AdjustBody, CustomerParams, SkuParams, Stock, StockBody } from './schemas.ts';

const CALL_TIMEOUT_MS = 5_000;

/**
 * `/v1/stock` and `/v1/accounts`: what shops and back offices set. The services behind them check the keys; here they
 * are only handed on.
 */
export function catalogueRoutes({ inventory, payment }: Participants): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/stock/:sku',
      { schema: { ...described('getStock', 'stock', 'One item'), params: SkuParams, response: answers(Stock, 404) } },
      async (request) => (await answer(inventory.GetStock(request.params, callOptions(request)))).stock,
    );

    app.put(
      '/v1/stock/:sku',
      {
        schema: {
          ...described('putStock', 'stock', 'List an item, or set its count and price'),
          params: SkuParams,
          body: StockBody,
          response: answers(Stock, 400, 409, 413, 415),
        },
      },
      async (request) =>
        (await answer(inventory.PutStock({ ...request.params, ...request.body }, callOptions(request)))).stock,
    );

    app.post(
      '/v1/stock/:sku/adjust',
      {
        config: { keyed: true },
        schema: {
          ...described('adjustStock', 'stock', 'Add to what is on hand, or take from it'),
          headers: Type.Object({ 'idempotency-key': keyHeader }),
          params: SkuParams,
          body: AdjustBody,
          response: answers(Stock, 400, 404, 409, 413, 415, 422),
        },
      },
      async (request, reply) => {
        const call = { ...request.params, ...request.body };
        return (await keyedAnswer(request, reply, (options) => inventory.AdjustStock(call, options))).stock;
      },
    );

    app.get(
      '/v1/accounts/:customerId',
      {
        schema: {
          ...described('getAccount', 'accounts', 'One customer’s account'),
          params: CustomerParams,
          response: answers(Account, 404),
        },
      },
      async (request) => (await answer(payment.GetAccount(request.params, callOptions(request)))).account,
    );

    app.put(
      '/v1/accounts/:customerId',
      {
        schema: {
          ...described('putAccount', 'accounts', 'Open an account, or set its balance'),
          params: CustomerParams,
          body: AccountBody,
          response: answers(Account, 400, 409, 413, 415),
        },
      },
      async (request) =>
        (await answer(payment.PutAccount({ ...request.params, ...request.body }, callOptions(request)))).account,
    );

    app.post(
      '/v1/accounts/:customerId/adjust',
      {
        config: { keyed: true },
        schema: {
          ...described('adjustAccount', 'accounts', 'Add to the balance, or take from it'),
          headers: Type.Object({ 'idempotency-key': keyHeader }),
          params: CustomerParams,
          body: AdjustBody,
          response: answers(Account, 400, 404, 409, 413, 415, 422),
        },
      },
      async (request, reply) => {
        const call = { ...request.params, ...request.body };
        return (await keyedAnswer(request, reply, (options) => payment.AdjustAccount(call, options))).account;
      },
    );
  };
}

const described = (operationId: string, tag: string, summary: string) => ({ operationId, tags: [tag], summary });

function answers(schema: object, ...statuses: number[]): Record<number, object> {
  return { 200: schema, ...errorResponses(401, ...statuses, 503) };
}

function callOptions(request: FastifyRequest, key?: string): CallOptions {
  return {
    tenantId: request.tenantId,
    timeoutMs: CALL_TIMEOUT_MS,
    traceparent: newTraceparent(request.headers.traceparent as string | undefined),
    ...(key !== undefined && { key }),
  };
}

async function answer<T>(call: Promise<CallResult<T>>): Promise<T> {
  const result = await call;
  if (result.kind === 'ok') return result.message;
  throw problemOf(result);
}

async function keyedAnswer<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  send: (options: CallOptions) => Promise<CallResult<T>>,
): Promise<T> {
  const key = keyOf(request);
  const result = await send(callOptions(request, key));
  keyHeaders(reply, key, result.replayed, new Date());
  if (result.kind === 'ok') return result.message;
  throw problemOf(result);
}

const CODE_BY_REASON: Record<string, ProblemCode> = {
  NOT_FOUND: 'not-found',
  INVALID_REQUEST: 'invalid-request',
  CONFLICT: 'conflict',
  OUT_OF_STOCK: 'out-of-stock',
  INSUFFICIENT_FUNDS: 'insufficient-funds',
  IDEMPOTENCY_KEY_INVALID: 'idempotency-key-invalid',
  IDEMPOTENCY_KEY_REUSED: 'idempotency-key-reused',
  REQUEST_IN_PROGRESS: 'request-in-progress',
  TRY_AGAIN: 'try-again',
  STORE_UNAVAILABLE: 'store-unavailable',
  UNAVAILABLE: 'service-unavailable',
  DEADLINE_EXCEEDED: 'service-unavailable',
};

/** The border between gRPC's errors and ours. */
function problemOf(error: Extract<CallResult<unknown>, { kind: 'error' }>): Problem {
  const code = CODE_BY_REASON[error.reason] ?? 'internal';
  if (code === 'service-unavailable') return new Problem(code, 'send the same request again');
  const members = error.metadata.differing?.split(',').filter(Boolean);
  const faults = members?.map((member) => ({ pointer: `/${member}`, detail: 'differs from the first request' }));
  return new Problem(code, error.message, faults);
}

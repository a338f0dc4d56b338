import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { KeyedOperation } from '@holdfast/contracts';
import { PROBLEM_TYPE } from '@holdfast/idempotency/http';
import type { CallResult } from '@holdfast/rpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AdjustmentDesk, adjustOnce } from '../../catalogue/adjust-once.ts';
import type { Participants } from '../../saga/participants.ts';
import { requestKeyOf } from '../key.ts';
import {
  BODY_PROBLEMS,
  KEY_PROBLEMS,
  keyHeader,
  problemResponses,
  STORE_PROBLEMS,
  withKeyHeaders,
} from '../openapi.ts';
import { answer, callOptions, problemOf } from '../participant-answer.ts';
import { answerOfProblem, type ProblemCode, unanswered } from '../problem.ts';
import { Account, AccountBody, AdjustBody, CustomerParams, SkuParams, Stock, StockBody } from '../schemas.ts';

/** `/v1/stock` and `/v1/accounts`: what shops and back offices set. */
export function catalogueRoutes({ inventory, payment }: Participants, desk: AdjustmentDesk): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/stock/:sku',
      {
        schema: {
          ...described('getStock', 'stock', 'One item'),
          params: SkuParams,
          response: answers(Stock, 'invalid-request', 'not-found'),
        },
      },
      async (request) => (await answer(inventory.GetStock(request.params, callOptions(request)))).stock,
    );

    app.put(
      '/v1/stock/:sku',
      {
        schema: {
          ...described('putStock', 'stock', 'List an item, or set its count and price'),
          params: SkuParams,
          body: StockBody,
          response: answers(Stock, ...BODY_PROBLEMS, 'conflict'),
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
          response: answers(withKeyHeaders(Stock), ...ADJUST_PROBLEMS, 'out-of-stock'),
        },
      },
      async (request, reply) => {
        const change = { ...request.params, ...request.body };
        return await adjust(desk, request, reply, {
          operation: 'POST /v1/stock/{sku}/adjust',
          resource: `/v1/stock/${change.sku}`,
          change,
          call: (key) => inventory.AdjustStock(change, callOptions(request, key)),
          read: () => inventory.GetStock({ sku: change.sku }, callOptions(request)),
          show: (message) => message.stock,
        });
      },
    );

    app.get(
      '/v1/accounts/:customerId',
      {
        schema: {
          ...described('getAccount', 'accounts', 'One customer’s account'),
          params: CustomerParams,
          response: answers(Account, 'invalid-request', 'not-found'),
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
          response: answers(Account, ...BODY_PROBLEMS, 'conflict'),
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
          response: answers(withKeyHeaders(Account), ...ADJUST_PROBLEMS, 'insufficient-funds'),
        },
      },
      async (request, reply) => {
        const change = { ...request.params, ...request.body };
        return await adjust(desk, request, reply, {
          operation: 'POST /v1/accounts/{customerId}/adjust',
          resource: `/v1/accounts/${change.customerId}`,
          change,
          call: (key) => payment.AdjustAccount(change, callOptions(request, key)),
          read: () => payment.GetAccount({ customerId: change.customerId }, callOptions(request)),
          show: (message) => message.account,
        });
      },
    );
  };
}

const described = (operationId: string, tag: string, summary: string) => ({ operationId, tags: [tag], summary });

const ADJUST_PROBLEMS = [...KEY_PROBLEMS, ...BODY_PROBLEMS, 'not-found', 'conflict'] as const;

function answers(schema: object, ...codes: ProblemCode[]): Record<number, object> {
  return { 200: schema, ...problemResponses(...codes, ...STORE_PROBLEMS, 'service-unavailable') };
}

interface AdjustRoute<T> {
  operation: KeyedOperation;
  resource: string;
  change: object;
  call: (key: string) => Promise<CallResult<T>>;
  read: () => Promise<CallResult<T>>;
  /** The part of the message that the API shows. */
  show: (message: T) => unknown;
}

async function adjust<T>(
  desk: AdjustmentDesk,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, resource, change, call, read, show }: AdjustRoute<T>,
): Promise<FastifyReply> {
  const requestKey = requestKeyOf(request);
  const adjusted = await adjustOnce(desk, {
    tenantId: request.tenantId,
    key: requestKey.key,
    operation,
    resource,
    request: change,
    call: async (key) => finalAnswer(await call(key), show),
    read: async () => JSON.stringify(show(await answer(read()))),
  });
  if ('claimedAt' in adjusted) requestKey.claimedAt = adjusted.claimedAt;
  if (adjusted.kind !== 'completed') throw unanswered(adjusted);
  requestKey.replayed = adjusted.replayed;
  return reply
    .code(adjusted.status)
    .type(adjusted.status < 400 ? 'application/json; charset=utf-8' : PROBLEM_TYPE)
    .send(adjusted.body);
}

/** Refusals that the participant has stored: the same key gets them for ever (S5). */
const FINAL_REFUSALS: ReadonlySet<string> = new Set(['OUT_OF_STOCK', 'INSUFFICIENT_FUNDS']);

/** @throws Problem for what is not known for good: it is not stored (H9, H10) */
function finalAnswer<T>(result: CallResult<T>, show: (message: T) => unknown) {
  const { replayed } = result;
  if (result.kind === 'completed') return { status: 200, body: JSON.stringify(show(result.message)), replayed };
  const problem = problemOf(result);
  if (!FINAL_REFUSALS.has(result.reason)) throw problem;
  const { status, body } = answerOfProblem(problem);
  return { status, body, replayed };
}

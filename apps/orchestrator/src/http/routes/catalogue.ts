import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { type ChangedBook, CURRENCIES } from '@holdfast/contracts';
import type { CallResult } from '@holdfast/rpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditedOperation } from '../../audit/audit-entry.ts';
import type { ChangeAnswer, ChangeDesk } from '../../keys/change-once.ts';
import { changeProof } from '../../keys/decision-proof.ts';
import { UNKNOWN_CURRENCY } from '../../orders/order-request.ts';
import type { Participants } from '../../saga/participants.ts';
import { changeHeaders, etagOf, ifMatchHeader, ifMatchOf, optionalKey, sendChange } from '../keyed-change.ts';
import {
  BODY_PROBLEMS,
  ETAG,
  KEY_PROBLEMS,
  OPTIONAL_KEY_PROBLEMS,
  problemResponses,
  STORE_PROBLEMS,
  withEtag,
  withKeyHeaders,
} from '../openapi.ts';
import { answer, callOptions, problemOf } from '../participant-answer.ts';
import { answerOfProblem, Problem, type ProblemCode } from '../problem.ts';
import {
  Account,
  AccountBody,
  AdjustAccountBody,
  AdjustStockBody,
  CustomerParams,
  SkuParams,
  Stock,
  StockBody,
} from '../schemas/catalogue-schemas.ts';
/** `/v1/stock` and `/v1/accounts`: what shops and back offices set. */
export function catalogueRoutes({ inventory, payment }: Participants, desk: ChangeDesk): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/stock/:sku',
      {
        schema: {
          ...described('getStock', 'stock', 'One item'),
          params: SkuParams,
          response: answers(withEtag(Stock), 'invalid-request', 'not-found'),
        },
      },
      async (request, reply) => {
        const { stock } = await answer(inventory.GetStock(request.params, callOptions(request)));
        return shown(reply, stock);
      },
    );

    app.put(
      '/v1/stock/:sku',
      {
        config: { keyed: 'optional' },
        schema: {
          ...described('putStock', 'stock', 'List an item, or set what is given of it', WRITING),
          headers: Type.Object({ ...optionalKey, ...ifMatchHeader }),
          params: SkuParams,
          body: StockBody,
          response: answers(withKeyHeaders(Stock, ETAG), ...PUT_PROBLEMS),
        },
      },
      async (request, reply) => {
        checkCurrency(request.body);
        const { sku } = request.params;
        const { versions, exists } = ifMatchOf(request);
        const wanted = { sku, ...request.body, ifVersions: versions, ifListed: exists };
        return await sendCall(desk, request, reply, {
          operation: 'PUT /v1/stock/{sku}',
          resource: `/v1/stock/${encodeURIComponent(sku)}`,
          change: { sku, ...request.body, ifMatch: request.headers['if-match'] },
          book: 'stock',
          effect: request.body,
          call: (key, proof) => inventory.PutStock({ ...wanted, proof }, callOptions(request, key)),
          read: () => inventory.GetStock({ sku }, callOptions(request)),
          show: (message) => message.stock,
        });
      },
    );

    app.post(
      '/v1/stock/:sku/adjust',
      {
        config: { keyed: true },
        schema: {
          ...described('adjustStock', 'stock', 'Add to what is on hand, or take from it'),
          headers: Type.Object(changeHeaders),
          params: SkuParams,
          body: AdjustStockBody,
          response: answers(withKeyHeaders(Stock, ETAG), ...ADJUST_PROBLEMS, 'out-of-stock'),
        },
      },
      async (request, reply) => {
        const change = { ...request.params, ...request.body };
        return await sendCall(desk, request, reply, {
          operation: 'POST /v1/stock/{sku}/adjust',
          resource: `/v1/stock/${encodeURIComponent(change.sku)}`,
          change,
          book: 'stock',
          effect: request.body,
          call: (key, proof) => inventory.AdjustStock({ ...change, proof }, callOptions(request, key)),
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
          response: answers(withEtag(Account), 'invalid-request', 'not-found'),
        },
      },
      async (request, reply) => {
        const { account } = await answer(payment.GetAccount(request.params, callOptions(request)));
        return shown(reply, account);
      },
    );

    app.put(
      '/v1/accounts/:customerId',
      {
        config: { keyed: 'optional' },
        schema: {
          ...described('putAccount', 'accounts', 'Open an account, or set its balance', WRITING),
          headers: Type.Object({ ...optionalKey, ...ifMatchHeader }),
          params: CustomerParams,
          body: AccountBody,
          response: answers(withKeyHeaders(Account, ETAG), ...PUT_PROBLEMS),
        },
      },
      async (request, reply) => {
        checkCurrency(request.body);
        const { customerId } = request.params;
        const { versions, exists } = ifMatchOf(request);
        const wanted = { customerId, ...request.body, ifVersions: versions, ifOpened: exists };
        return await sendCall(desk, request, reply, {
          operation: 'PUT /v1/accounts/{customerId}',
          resource: `/v1/accounts/${encodeURIComponent(customerId)}`,
          change: { customerId, ...request.body, ifMatch: request.headers['if-match'] },
          book: 'account',
          // Its currency is fixed, and no entry's.
          effect: { balance: request.body.balance },
          call: (key, proof) => payment.PutAccount({ ...wanted, proof }, callOptions(request, key)),
          read: () => payment.GetAccount({ customerId }, callOptions(request)),
          show: (message) => message.account,
        });
      },
    );

    app.post(
      '/v1/accounts/:customerId/adjust',
      {
        config: { keyed: true },
        schema: {
          ...described('adjustAccount', 'accounts', 'Add to the balance, or take from it'),
          headers: Type.Object(changeHeaders),
          params: CustomerParams,
          body: AdjustAccountBody,
          response: answers(withKeyHeaders(Account, ETAG), ...ADJUST_PROBLEMS, 'insufficient-funds'),
        },
      },
      async (request, reply) => {
        const change = { ...request.params, ...request.body };
        return await sendCall(desk, request, reply, {
          operation: 'POST /v1/accounts/{customerId}/adjust',
          resource: `/v1/accounts/${encodeURIComponent(change.customerId)}`,
          change,
          book: 'account',
          effect: request.body,
          call: (key, proof) => payment.AdjustAccount({ ...change, proof }, callOptions(request, key)),
          read: () => payment.GetAccount({ customerId: change.customerId }, callOptions(request)),
          show: (message) => message.account,
        });
      },
    );
  };
}

const described = (operationId: string, tag: string, summary: string, description?: string) => ({
  operationId,
  tags: [tag],
  summary,
  ...(description && { description }),
});

const WRITING =
  'Send a key, and a retry changes nothing that came in between. Send `If-Match` where the new value was decided by what was read.';

const ADJUST_PROBLEMS = [...KEY_PROBLEMS, ...BODY_PROBLEMS, 'not-found', 'conflict'] as const;
const PUT_PROBLEMS = [
  ...OPTIONAL_KEY_PROBLEMS,
  ...BODY_PROBLEMS,
  'not-found',
  'conflict',
  'version-changed',
] as const satisfies ProblemCode[];

function answers(schema: object, ...codes: ProblemCode[]): Record<number, object> {
  return { 200: schema, ...problemResponses(...codes, ...STORE_PROBLEMS, 'service-unavailable') };
}

/** What a schema can't say. @throws Problem */
function checkCurrency({ currency }: { currency?: string }): void {
  if (currency === undefined || CURRENCIES.has(currency)) return;
  throw new Problem('invalid-request', undefined, [{ pointer: '/currency', detail: UNKNOWN_CURRENCY }]);
}

function shown<T extends { version: number }>(reply: FastifyReply, resource: T | null): T | null {
  if (resource !== null) reply.header('etag', etagOf(resource.version));
  return resource;
}

/** What a message has beside what is asked for now: how it was before the change. */
type Shown<T> = Omit<T, 'before'>;

interface CallRoute<T extends { before: object | null }> {
  operation: AuditedOperation;
  resource: string;
  change: object;
  book: ChangedBook;
  /** What is to be set, or added: what the proof covers, and the audit log says. */
  effect: object;
  call: (key: string, proof: string) => Promise<CallResult<T>>;
  read: () => Promise<CallResult<Shown<T>>>;
  /** The part of the message that the API shows. */
  show: (message: Shown<T>) => unknown;
}

/** A change that is a participant's. */
async function sendCall<T extends { before: object | null }>(
  desk: ChangeDesk,
  request: FastifyRequest,
  reply: FastifyReply,
  { change, book, effect, call, read, show, ...route }: CallRoute<T>,
): Promise<FastifyReply> {
  return await sendChange(desk, request, reply, {
    ...route,
    request: change,
    asked: effect,
    call: async ({ key }) => {
      const proof = changeProof(desk.fingerprinter, book, { tenantId: request.tenantId, key, change: effect });
      return finalAnswer(await call(key, proof), show);
    },
    read: async () => JSON.stringify(show(await answer(read()))),
  });
}

/** Refusals that the participant has stored: the same key gets them for ever (S5). */
const FINAL_REFUSALS: ReadonlySet<string> = new Set([
  'OUT_OF_STOCK',
  'INSUFFICIENT_FUNDS',
  'CONFLICT',
  'VERSION_CHANGED',
]);

/** @throws Problem for what is not known for good: it is not stored (H9, H10) */
function finalAnswer<T extends { before: object | null }>(
  result: CallResult<T>,
  show: (message: T) => unknown,
): ChangeAnswer {
  const { replayed } = result;
  if (result.kind === 'completed') {
    const { message } = result;
    const after = show(message);
    const effect = { before: message.before, after: after as object };
    return { status: 200, body: JSON.stringify(after), replayed, effect };
  }
  const problem = problemOf(result);
  if (!FINAL_REFUSALS.has(result.reason)) throw problem;
  const { status, body } = answerOfProblem(problem);
  return { status, body, replayed, code: problem.code };
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { SagaDefinition, SagaRecord } from '@holdfast/saga';
import type { OrderBook } from '../accept-order.ts';
import { STATUS_BY_STATE } from '../order.ts';
import { stateOf } from '../order-store.ts';
import { readSagaLines, type SagaLine, tenantOwns } from '../saga-store.ts';
import { errorResponses } from './openapi.ts';
import { pageRequest } from './page.ts';
import { Problem } from './problem.ts';
import { IdParams, PageQuery, Saga, SagaList } from './schemas.ts';

/** `/v1/sagas`: how orders are carried out. */
export function sagaRoutes(book: OrderBook, definition: SagaDefinition): FastifyPluginAsyncTypebox {
  const find = async (tenantId: string, id: string): Promise<SagaRecord> => {
    const saga = (await tenantOwns(book.pool, tenantId, id)) ? await book.engine.readSaga(id) : null;
    if (saga === null) throw new Problem('not-found', 'you have no saga of this id; it is its order’s id');
    return saga;
  };
  return async (app) => {
    app.get(
      '/v1/sagas/:id',
      {
        schema: {
          operationId: 'getSaga',
          tags: ['sagas'],
          summary: 'A saga with every attempt at every step',
          params: IdParams,
          response: { 200: Saga, ...errorResponses(401, 404, 503) },
        },
      },
      async (request) => showSaga(await find(request.tenantId, request.params.id), definition),
    );

    app.get(
      '/v1/sagas',
      {
        schema: {
          operationId: 'listSagas',
          tags: ['sagas'],
          summary: 'Sagas, newest first',
          querystring: PageQuery,
          response: { 200: SagaList, ...errorResponses(400, 401, 503) },
        },
      },
      async (request) => {
        const { status } = request.query;
        const state = status && stateOf(status);
        const page = await readSagaLines(book.pool, request.tenantId, { state, ...pageRequest(request.query) });
        return { sagas: page.rows.map((saga) => summary(saga, definition)), nextCursor: page.nextCursor };
      },
    );

    app.post(
      '/v1/sagas/:id/resume',
      {
        schema: {
          operationId: 'resumeSaga',
          tags: ['sagas'],
          summary: 'Go on with a parked saga',
          description: 'Its attempts are counted afresh. Asking again does no harm: needs no key.',
          params: IdParams,
          response: { 200: Saga, ...errorResponses(401, 404, 409, 503) },
        },
      },
      async (request) => {
        const { id } = request.params;
        await find(request.tenantId, id);
        const resumed = await book.engine.resume(id);
        if (resumed.kind === 'not-parked') throw new Problem('not-parked', `the saga is ${resumed.state}`);
        if (resumed.kind === 'full' || resumed.kind === 'unavailable') {
          throw new Problem('try-again', 'this replica can’t take it on now: ask again');
        }
        return showSaga(await find(request.tenantId, id), definition);
      },
    );
  };
}

function summary(saga: SagaLine, definition: SagaDefinition) {
  return {
    id: saga.id,
    definition: saga.definition,
    status: STATUS_BY_STATE[saga.state],
    step: saga.endedAt === null ? (definition.steps[saga.position]?.name ?? null) : null,
    epoch: saga.epoch,
    failure: saga.failure,
    parked: saga.parked,
    startedAt: saga.startedAt.toISOString(),
    updatedAt: saga.updatedAt.toISOString(),
    deadlineAt: saga.deadlineAt.toISOString(),
    endedAt: saga.endedAt?.toISOString() ?? null,
  };
}

function showSaga(saga: SagaRecord, definition: SagaDefinition) {
  const attemptsOf = (step: string) =>
    saga.attempts
      .filter((attempt) => attempt.step === step)
      .map(({ direction, attempt, epoch, outcome, detail, startedAt, endedAt }) => ({
        direction,
        attempt,
        epoch,
        outcome,
        detail,
        startedAt: startedAt.toISOString(),
        endedAt: endedAt.toISOString(),
        durationMs: Math.max(endedAt.getTime() - startedAt.getTime(), 0),
      }));
  return {
    ...summary(saga, definition),
    ownerId: saga.ownerId,
    cancelRequestedAt: saga.cancelRequestedAt?.toISOString() ?? null,
    steps: definition.steps.map(({ name, kind }) => ({ name, kind, attempts: attemptsOf(name) })),
  };
}

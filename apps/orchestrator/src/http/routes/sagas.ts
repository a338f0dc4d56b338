import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type {
  CompensateOutcome,
  ResumeOutcome,
  RetryOutcome,
  SagaDefinition,
  SagaRecord,
  SagaState,
} from '@holdfast/saga';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditedOperation } from '../../audit/audit-entry.ts';
import type { ChangeAttempt } from '../../keys/change-once.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { readSagaLines, type SagaLine, type SagaPlace, tenantOwns } from '../../saga/saga-store.ts';
import { answerOf, optionalKey, sendChange } from '../keyed-change.ts';
import { BODY_PROBLEMS, OPTIONAL_KEY_PROBLEMS, problemResponses, STORE_PROBLEMS, withKeyHeaders } from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { IdParams } from '../schemas/order-schemas.ts';
import { Saga, SagaList, SagaPageQuery } from '../schemas/saga-schemas.ts';

/** `/v1/sagas`: how orders and refunds are carried out. */
export function sagaRoutes(deps: OrderDeps, definitions: readonly SagaDefinition[]): FastifyPluginAsyncTypebox {
  const find = async (tenantId: string, id: string): Promise<SagaRecord> => {
    const saga = (await tenantOwns(deps.pool, tenantId, id)) ? await deps.engine.readSaga(id) : null;
    if (saga === null)
      throw new Problem(
        'not-found',
        'You have no saga with this id. The id of a saga is the id of its order or refund.',
      );
    return saga;
  };
  const intervene = async (
    request: FastifyRequest,
    reply: FastifyReply,
    operation: AuditedOperation,
    finals: ProblemCode[],
    act: (key: string) => Promise<void>,
  ): Promise<FastifyReply> => {
    const { id } = request.params as { id: string };
    const read = async () => showSaga(await find(request.tenantId, id), definitions);
    const before = standing(summary(await find(request.tenantId, id), []));
    const actOnce = async ({ isFirst, key }: ChangeAttempt) => {
      // K8: what an attempt under this key has done, answered or not, is in the journal under it.
      const isDone = async () => {
        const { interventions } = await find(request.tenantId, id);
        return interventions.some((done) => done.key === key);
      };
      if (isFirst || !(await isDone())) {
        await act(key).catch(async (error: unknown) => {
          // Another process may have done it at the same time, under the same key.
          if (!(await isDone())) throw error;
        });
      }
      const body = await read();
      return { body, effect: { before: isFirst ? before : null, after: standing(body) } };
    };
    return await sendChange(deps, request, reply, {
      operation,
      resource: `/v1/sagas/${id}`,
      request: { id },
      asked: {},
      call: (attempt) => answerOf(() => actOnce(attempt), finals),
      read: async () => JSON.stringify(await read()),
    });
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
          response: { 200: Saga, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => showSaga(await find(request.tenantId, request.params.id), definitions),
    );

    app.get(
      '/v1/sagas',
      {
        schema: {
          operationId: 'listSagas',
          tags: ['sagas'],
          summary: 'Sagas, newest first',
          querystring: SagaPageQuery,
          response: { 200: SagaList, ...problemResponses('invalid-request', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const { status, step, minAge } = request.query;
        const page = await readSagaLines(deps.pool, request.tenantId, {
          state: status === 'processing' ? 'running' : status,
          at: step === undefined ? undefined : placesOf(step, definitions),
          minAgeSeconds: minAge === undefined ? undefined : Number(minAge),
          ...pageRequest(request.query),
        });
        return {
          sagas: page.rows.map((saga) => summary(saga, stepsOf(saga, definitions))),
          nextCursor: page.nextCursor,
        };
      },
    );

    app.post(
      '/v1/sagas/:id/resume',
      {
        config: { keyed: 'optional' },
        schema: {
          operationId: 'resumeSaga',
          tags: ['sagas'],
          summary: 'Go on with a parked saga',
          description: 'Its attempts are counted afresh. With a key it is done once.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          response: {
            200: withKeyHeaders(Saga),
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'not-parked',
              ...STORE_PROBLEMS,
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        return await intervene(request, reply, 'POST /v1/sagas/{id}/resume', ['not-parked'], async (key) => {
          const resumed = await deps.engine.operator.resume(id, key);
          if (resumed.kind === 'not_parked')
            throw new Problem('not-parked', `The saga is ${resumed.state}. Only a parked saga can be resumed.`);
          assertTaken(resumed);
        });
      },
    );

    app.post(
      '/v1/sagas/:id/retry',
      {
        config: { keyed: 'optional' },
        schema: {
          operationId: 'retrySaga',
          tags: ['sagas'],
          summary: 'Attempt the step of a saga now',
          description:
            'Ends its wait between attempts, wherever it is driven, and resumes it when it is parked. With a key it is done once.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          response: {
            200: withKeyHeaders(Saga),
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'saga-ended',
              ...STORE_PROBLEMS,
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        return await intervene(request, reply, 'POST /v1/sagas/{id}/retry', ['saga-ended'], async (key) => {
          const retried = await deps.engine.operator.retryNow(id, key);
          if (retried.kind === 'ended')
            throw new Problem('saga-ended', `The saga has ended: it is ${retried.state}. Read its order.`);
          assertTaken(retried);
        });
      },
    );

    app.post(
      '/v1/sagas/:id/compensate',
      {
        config: { keyed: 'optional' },
        schema: {
          operationId: 'compensateSaga',
          tags: ['sagas'],
          summary: 'Turn a saga back, parked or not',
          description:
            'Before its pivot is known to be done only. What may have been started is undone; the order ends cancelled. With a key it is done once.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          response: {
            200: withKeyHeaders(Saga),
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'cancel-refused',
              ...STORE_PROBLEMS,
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        return await intervene(request, reply, 'POST /v1/sagas/{id}/compensate', ['cancel-refused'], async (key) => {
          const outcome = await deps.engine.operator.compensate(id, COMPENSATE_WAIT_MS, key);
          if (outcome.kind === 'past_pivot' || (outcome.kind === 'ended' && outcome.state === 'completed')) {
            throw new Problem('cancel-refused', 'It is past the point of no return. Handle an order as a return.');
          }
          if (outcome.kind === 'in_progress')
            throw new Problem('try-again', 'The owner of the saga has not decided yet. Send the same request again.');
          assertTaken(outcome);
        });
      },
    );
  };
}

/** No more than a saga's owner takes to see the request, and a client would wait. */
const COMPENSATE_WAIT_MS = 5_000;

/** @throws Problem unless the verb has done its work */
function assertTaken({ kind }: ResumeOutcome | RetryOutcome | CompensateOutcome): void {
  if (kind === 'unavailable') {
    throw new Problem('try-again', 'This replica cannot take on the saga now. Send the same request again.');
  }
}

/** @throws Problem when no saga has such a step */
function placesOf(step: string, definitions: readonly SagaDefinition[]): SagaPlace[] {
  const places = definitions.flatMap(({ name, steps }) => {
    const position = steps.findIndex((one) => one.name === step);
    return position === -1 ? [] : [{ definition: name, position }];
  });
  if (places.length > 0) return places;
  const names = definitions.flatMap(({ steps }) => steps.map(({ name }) => name)).join(', ');
  throw new Problem('invalid-request', `Send one of ${names} as \`step\`.`, [
    { pointer: '', detail: 'The query parameter `step` names no step.' },
  ]);
}

/** None of a definition that this release does not know. */
function stepsOf({ definition }: { definition: string }, definitions: readonly SagaDefinition[]) {
  return definitions.find(({ name }) => name === definition)?.steps ?? [];
}

/** As orders have it, but for a saga that waits. */
function statusOf(state: SagaState): Exclude<SagaState, 'running'> | 'processing' {
  return state === 'running' ? 'processing' : state;
}

function summary(saga: SagaLine, steps: SagaDefinition['steps']) {
  return {
    id: saga.id,
    definition: saga.definition,
    status: statusOf(saga.state),
    step: saga.endedAt === null ? (steps[saga.position]?.name ?? null) : null,
    epoch: saga.epoch,
    failure: failureOf(saga),
    parked: saga.parked,
    startedAt: saga.startedAt.toISOString(),
    updatedAt: saga.changedAt.toISOString(),
    deadlineAt: saga.deadlineAt.toISOString(),
    endedAt: saga.endedAt?.toISOString() ?? null,
  };
}

/** Without its data: that is for the order's customer. */
function failureOf({ failure }: Pick<SagaLine, 'failure'>) {
  if (failure === null) return null;
  const { step, reason, message } = failure;
  return { step, reason, message };
}

/** For the audit log: without details, which are the words of others. */
function standing({ status, epoch, parked }: ReturnType<typeof summary>) {
  return { status, epoch, ...(parked !== null && { parked: { step: parked.step, reason: parked.reason } }) };
}

/** Without the data of the wait: that is for the order's customer. */
function waitingOf({ state, waiting }: SagaRecord) {
  if (state !== 'waiting' || waiting === null) return null;
  const { step, reason, since, until } = waiting;
  return { step, reason, since, until };
}

function showSaga(saga: SagaRecord, definitions: readonly SagaDefinition[]) {
  const steps = stepsOf(saga, definitions);
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
    ...summary(saga, steps),
    waiting: waitingOf(saga),
    ownerId: saga.ownerId,
    cancelRequestedAt: saga.cancelRequestedAt?.toISOString() ?? null,
    interventions: saga.interventions.map(({ verb, epoch, parked, at }) => ({
      verb,
      epoch,
      parked,
      at: at.toISOString(),
    })),
    steps: steps.map(({ name, kind }) => ({ name, kind, attempts: attemptsOf(name) })),
  };
}

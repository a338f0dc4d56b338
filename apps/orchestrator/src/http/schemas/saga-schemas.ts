import { Type } from '@fastify/type-provider-typebox';
import { closed, Failure, Instant, nextCursor, nullable, OrderStatus, PageQuery } from './order-schemas.ts';

// Shapes of `/v1/sagas`: how orders and refunds are carried out.

export const SagaPageQuery = Type.Object(
  {
    ...PageQuery.properties,
    step: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9-]{1,64}$',
        description: 'Only sagas that have not ended and stand at this step',
        examples: ['charge-payment'],
      }),
    ),
    minAge: Type.Optional(
      Type.String({ pattern: '^\\d{1,9}$', description: 'Only sagas begun at least this many seconds ago' }),
    ),
  },
  closed,
);

const Parked = Type.Object({
  step: Type.String(),
  direction: Type.String(),
  reason: Type.String(),
  detail: Type.String(),
  attempts: Type.Integer(),
  at: Instant,
});

const SagaSummary = Type.Object({
  id: Type.String(),
  definition: Type.String(),
  status: OrderStatus,
  step: nullable(Type.String()),
  epoch: Type.Integer(),
  failure: nullable(Failure),
  parked: nullable(Parked),
  startedAt: Instant,
  updatedAt: Instant,
  deadlineAt: Instant,
  endedAt: nullable(Instant),
});

export const Saga = Type.Object({
  ...SagaSummary.properties,
  ownerId: Type.Integer(),
  cancelRequestedAt: nullable(Instant),
  steps: Type.Array(
    Type.Object({
      name: Type.String(),
      kind: Type.String(),
      attempts: Type.Array(
        Type.Object({
          direction: Type.Union([Type.Literal('act'), Type.Literal('undo')]),
          attempt: Type.Integer({ description: 'From 1, counted afresh by every owner' }),
          epoch: Type.Integer(),
          outcome: Type.String(),
          detail: nullable(Type.String()),
          startedAt: Instant,
          endedAt: Instant,
          durationMs: Type.Integer(),
        }),
      ),
    }),
  ),
  interventions: Type.Array(
    Type.Object({
      verb: Type.Union([Type.Literal('resume'), Type.Literal('retry'), Type.Literal('compensate')]),
      epoch: Type.Integer({ description: 'The one that the saga has had since' }),
      parked: nullable(Parked),
      at: Instant,
    }),
    { description: 'What operators have done, oldest first; `parked` says why the saga had been parked' },
  ),
});

export const SagaList = Type.Object({ sagas: Type.Array(SagaSummary), nextCursor });

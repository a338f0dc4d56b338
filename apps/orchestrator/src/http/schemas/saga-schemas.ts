import { Type } from '@fastify/type-provider-typebox';
import { closed, Failure, Instant, nextCursor, nullable, PageQuery } from './order-schemas.ts';

// Shapes of `/v1/sagas`: how orders and refunds are carried out.

/** Of any saga: what it waits for need not be a payment. */
const SagaStatus = Type.Enum(['processing', 'waiting', 'completed', 'compensating', 'failed', 'cancelled', 'parked']);

export const SagaPageQuery = Type.Object(
  {
    ...PageQuery.properties,
    status: Type.Optional(SagaStatus),
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
  fenceEpoch: Type.Optional(
    Type.Integer({ description: 'Of `FENCED`: the epoch that the participant has seen; a resume goes on above it' }),
  ),
  at: Instant,
});

const Waiting = Type.Object({
  step: Type.String(),
  reason: Type.String(),
  since: Instant,
  until: Instant,
});

const SagaSummary = Type.Object({
  id: Type.String(),
  definition: Type.String(),
  status: SagaStatus,
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
  waiting: nullable(Waiting),
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

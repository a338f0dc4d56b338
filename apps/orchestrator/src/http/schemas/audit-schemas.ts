import { Type } from '@fastify/type-provider-typebox';
import { AUDIT_VERBS } from '../../audit/audit-entry.ts';
import { closed, Instant, nextCursor, nullable, PageQuery } from './order-schemas.ts';

// Shapes of `/v1/audit`: who asked for which change.

const Verb = Type.Enum([...AUDIT_VERBS], { description: 'The operationId of the route' });
const instantQuery = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?Z$',
      description,
      examples: ['2026-11-30T00:00:00Z'],
    }),
  );

export const AuditPageQuery = Type.Object(
  {
    ...PageQuery.properties,
    actor: Type.Optional(Type.String({ pattern: '^[!-~]{1,128}$', description: 'Only changes asked for by this one' })),
    verb: Type.Optional(Verb),
    target: Type.Optional(
      Type.String({
        pattern: '^/v1/[!-~]{1,500}$',
        description: 'Only changes of what has this path',
        examples: ['/v1/accounts/ada'],
      }),
    ),
    from: instantQuery('Only changes asked for from this instant on'),
    to: instantQuery('Only changes asked for before this instant'),
  },
  closed,
);

// What they hold depends on the verb.
const Values = Type.Object({}, { additionalProperties: true });

const AuditEntry = Type.Object({
  id: Type.String(),
  at: Type.String({ format: 'date-time', description: 'When it was asked for. RFC 3339, UTC' }),
  actor: Type.String({ description: 'The API key that asked for it, by what may be shown of it' }),
  verb: Verb,
  target: Type.String({ description: 'Path of what was to be changed' }),
  asked: Type.Object(Values.properties, {
    additionalProperties: true,
    description: 'What was to be set, added or given back',
  }),
  reason: nullable(Type.String({ description: '`Audit-Reason` of the request, or the reason of the refund' })),
  requestId: Type.String({ description: '`X-Request-Id` of the request, or what the log calls it by' }),
  traceId: Type.String(),
  outcome: Type.Enum(['open', 'done', 'refused'], {
    description:
      '`open`: not decided yet, or the answer was lost; a retry under its key decides it. `done` of a refund: accepted',
  }),
  code: nullable(Type.String({ description: 'Of what was refused: the code of the problem' })),
  before: nullable(Values),
  after: nullable(Values),
  decidedAt: nullable(Instant),
});

export const AuditList = Type.Object({ entries: Type.Array(AuditEntry), nextCursor });

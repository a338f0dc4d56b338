import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { readAuditLog } from '../../audit/audit-store.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { problemResponses, STORE_PROBLEMS } from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { Problem } from '../problem.ts';
import { AuditList, AuditPageQuery } from '../schemas/audit-schemas.ts';

/** `GET /v1/audit`: who asked for which change. */
export function auditRoutes({ pool }: Pick<OrderDeps, 'pool'>): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/audit',
      {
        schema: {
          operationId: 'listAudit',
          tags: ['audit'],
          summary: 'Who asked for which change, newest first',
          description:
            'Every change but the placing of orders: who asked for it, when and why, and what came of it. An entry stands before its change is made. What was refused before its key was claimed (400, 401, 403, 404, 422) is not here.',
          querystring: AuditPageQuery,
          response: { 200: AuditList, ...problemResponses('invalid-request', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const { actor, verb, target, from, to } = request.query;
        const page = await readAuditLog(pool, request.tenantId, {
          ...{ actor, verb, target, from: instantOf('from', from), to: instantOf('to', to) },
          ...pageRequest(request.query),
        });
        return { entries: page.rows, nextCursor: page.nextCursor };
      },
    );
  };
}

/** @throws Problem for a day that no month has: it would be read as one of the next */
function instantOf(parameter: string, value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const instant = new Date(value);
  const isReal = !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(value.slice(0, 19));
  if (isReal) return instant;
  throw new Problem('invalid-request', `Send a date that exists as \`${parameter}\`.`, [
    { pointer: '', detail: `The query parameter \`${parameter}\` is no instant.` },
  ]);
}

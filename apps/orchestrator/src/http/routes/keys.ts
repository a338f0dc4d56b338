import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { KEY_PATTERN } from '@holdfast/contracts';
import { expiresAt, isoDuration, isPastRetention } from '../../keys/key-retention.ts';
import { findStoredKey, type StoredKey } from '../../keys/key-store.ts';
import { keyId, type OrderDeps } from '../../orders/accept-order.ts';
import { problemResponses, STORE_PROBLEMS } from '../openapi.ts';
import { Problem } from '../problem.ts';
import { KeyConfig, KeyParams, KeyState } from '../schemas/order-schemas.ts';

/** `/v1/idempotency-keys` and `/v1/config`: what a key stands for, and how long. */
export function keyRoutes(deps: OrderDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/idempotency-keys/:key',
      {
        schema: {
          operationId: 'getIdempotencyKey',
          tags: ['keys'],
          summary: 'What a key stands for',
          description:
            'For a client that lost an answer and does not want to send the request again. Your own keys only.',
          params: KeyParams,
          response: { 200: KeyState, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const id = keyId(deps.fingerprinter, request.tenantId, request.params.key);
        const stored = await findStoredKey(deps.pool, { tenantId: request.tenantId, id });
        if (stored === undefined)
          throw new Problem('not-found', 'Nothing was sent with this key, or the key is no longer kept.');
        return {
          state: stateOf(deps, stored),
          operation: stored.operation,
          createdAt: stored.createdAt.toISOString(),
          expiresAt: expiresAt(deps.retention, stored.createdAt).toISOString(),
          resource: stored.resource ?? `/v1/orders/${id}`,
        };
      },
    );

    app.get(
      '/v1/config',
      {
        schema: {
          operationId: 'getConfig',
          tags: ['keys'],
          summary: 'What a key may look like, and how long it is kept',
          response: { 200: KeyConfig, ...problemResponses() },
        },
      },
      async () => ({
        idempotencyKeyGrammar: KEY_PATTERN.source,
        idempotencyKeyLifetime: isoDuration(deps.retention.keyLifetimeMs),
        tombstoneLifetime: isoDuration(deps.retention.tombstoneLifetimeMs),
      }),
    );
  };
}

function stateOf(deps: OrderDeps, { status, createdAt }: StoredKey): 'in_progress' | 'answered' | 'expired' {
  if (status === null) return 'in_progress';
  return isPastRetention(deps.retention, createdAt, deps.now()) ? 'expired' : 'answered';
}

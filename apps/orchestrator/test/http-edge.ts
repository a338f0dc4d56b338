import { SCOPES } from '@holdfast/contracts';
import { createHealth, createLog, createMetrics } from '@holdfast/service';
import { createAuthenticate } from '../src/auth.ts';
import { createHttpServer, type HttpEdge } from '../src/http/server.ts';
import { createOrderAnswerCache } from '../src/keys/order-answer-cache.ts';

/**
 * The HTTP edge with neither a database nor participants: for requests that are refused before anything is asked of them. The
 * key `secret` of the tenant `shop` opens all of it.
 */
export function createBareEdge(own: Partial<HttpEdge> = {}): ReturnType<typeof createHttpServer> {
  const retention = { keyLifetimeMs: 60_000, tombstoneLifetimeMs: 120_000 };
  const now = () => new Date();
  return createHttpServer({
    deps: { answerCache: createOrderAnswerCache(undefined, retention, now), retention, now },
    participants: { inventory: {}, payment: {}, shipping: {} },
    definitions: [],
    authenticate: createAuthenticate(new Map([['secret', { tenantId: 'shop', scopes: new Set(SCOPES) }]])),
    apiKeys: { forget: () => undefined },
    health: createHealth({}),
    metrics: createMetrics('edge'),
    log: createLog('edge', 'silent'),
    maxConnections: 100,
    ...own,
  } as unknown as HttpEdge);
}

/** What the edge says of itself to who has a key. */
export async function descriptionOf<Api>(edge: Awaited<ReturnType<typeof createBareEdge>>, key: string): Promise<Api> {
  const described = await edge.inject({ url: '/openapi.json', headers: { authorization: `Bearer ${key}` } });
  return described.json();
}

import { SCOPES } from '@holdfast/contracts';
import { createHealth, createLog, createMetrics } from '@holdfast/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../auth.ts';
import { createOrderAnswerCache } from '../../keys/order-answer-cache.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { createHttpServer, type HttpEdge } from '../server.ts';

const KEY = 'k'.repeat(16);
const SENT = '{"an":"order that was answered"}';
const ANSWER = { id: 'o-1', body: '{"id":"o-1","name":"é"}', claimedAt: new Date() };

/** An edge that has told one answer, and has nothing else to ask: neither a database nor participants. */
async function edgeThatTold() {
  const retention = { keyLifetimeMs: 60_000, tombstoneLifetimeMs: 120_000 };
  const now = () => new Date();
  const answerCache = createOrderAnswerCache(undefined, retention, now);
  const fingerprint = { version: 1, digest: Buffer.from('print'), members: null };
  answerCache.keep({ tenantId: 'shop', key: KEY, fingerprint, bytes: Buffer.from(SENT) }, ANSWER);
  return await createHttpServer({
    deps: { answerCache, retention, now } as OrderDeps,
    participants: {},
    authenticate: createAuthenticate(new Map([['secret', { tenantId: 'shop', scopes: new Set(SCOPES) }]])),
    health: createHealth({}),
    metrics: createMetrics('edge'),
    log: createLog('edge', 'silent'),
  } as unknown as HttpEdge);
}

describe('an order that this process has answered', () => {
  let edge: Awaited<ReturnType<typeof edgeThatTold>>;
  beforeAll(async () => {
    edge = await edgeThatTold();
  });
  afterAll(() => edge?.close());

  const send = (headers: object, payload = SENT) =>
    edge.inject({
      method: 'POST',
      url: '/v1/orders',
      payload,
      headers: {
        authorization: 'Bearer secret',
        'idempotency-key': KEY,
        'content-type': 'application/json',
        ...headers,
      },
    });

  it('H5, K2: sent again in the same bytes gets its answer, and nothing is asked', async () => {
    const reply = await send({ prefer: 'wait=20' });
    expect([reply.statusCode, reply.body]).toEqual([201, ANSWER.body]);
    expect(reply.headers).toMatchObject({
      location: '/v1/orders/o-1',
      'content-type': 'application/json; charset=utf-8',
      'idempotency-key': KEY,
      'idempotent-replayed': 'true',
      'idempotency-expires': new Date(ANSWER.claimedAt.getTime() + 60_000).toISOString(),
      'preference-applied': 'wait=20',
    });
  });

  it('H20: sent in other bytes is parsed and checked', async () => {
    for (const [payload, code] of [
      [`${SENT} `, 'invalid-request'],
      ['{"twice":1,"twice":1}', 'invalid-request'],
      [SENT.slice(0, -1), 'malformed-json'],
      ['', 'invalid-request'],
    ] as const) {
      expect((await send({}, payload)).json()).toMatchObject({ status: 400, code });
    }
  });

  it('is answered only after its sender is authenticated', async () => {
    for (const [headers, code] of [
      [{ authorization: 'Bearer other' }, 'unauthorized'],
      [{ 'idempotency-key': 'short' }, 'idempotency-key-invalid'],
      [{ 'content-type': 'text/plain' }, 'unsupported-media-type'],
    ] as const) {
      expect((await send(headers)).json()).toMatchObject({ code });
    }
  });
});

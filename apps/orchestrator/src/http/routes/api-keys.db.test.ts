import { SCOPES } from '@holdfast/contracts';
import { createSingleFlight, type Fingerprinter, loadFingerprinter } from '@holdfast/idempotency';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBareEdge } from '../../../test/http-edge.ts';
import { KnownApiKeys } from '../../api-keys/known-api-keys.ts';
import { MAX_API_KEYS } from '../../api-keys/make-api-key.ts';
import { createAuthenticate } from '../../auth.ts';
import { claimKey } from '../../keys/key-store.ts';
import { keyId } from '../../orders/accept-order.ts';
import { orchestratorMigrations } from '../../run-orchestrator.ts';

type Edge = Awaited<ReturnType<typeof createBareEdge>>;

let database: TestDatabase;
let fingerprinter: Fingerprinter;
/** Two replicas. */
let edges: [Edge, Edge];
let now = () => new Date();
beforeAll(async () => {
  database = await testDatabase('api_keys', orchestratorMigrations, { keyLookupsOnly: true });
  fingerprinter = await loadFingerprinter(database.pool);
  edges = [await startEdge(), await startEdge()];
});
afterAll(async () => {
  for (const edge of edges ?? []) await edge.close();
  await database?.drop();
});
beforeEach(async () => {
  now = () => new Date();
  await database.pool.query('truncate api_keys, holdfast.claims, audit_entries, audit_outcomes');
});

const RETENTION = { keyLifetimeMs: 60_000, tombstoneLifetimeMs: 120_000 };

async function startEdge(): Promise<Edge> {
  const apiKeys = new KnownApiKeys({ db: database.pool, log: createLog('api-keys', 'silent') });
  const callers = ['maker', 'colleague', 'stranger'].map((name) => {
    const tenantId = name === 'stranger' ? 'other' : 'shop';
    return [`the-credential-of-the-${name}`, { tenantId, scopes: new Set(SCOPES) }] as const;
  });
  const deps = {
    pool: database.pool,
    fingerprinter,
    retention: RETENTION,
    now: () => now(),
    inFlightKeys: { singleFlight: createSingleFlight() },
  };
  return createBareEdge({ deps: deps as never, apiKeys, authenticate: createAuthenticate(new Map(callers), apiKeys) });
}

interface Request {
  as?: string;
  key?: string;
  replica?: 0 | 1;
}
async function send(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object, request: Request = {}) {
  const { as = 'the-credential-of-the-maker', key, replica = 0 } = request;
  const headers = { authorization: `Bearer ${as}`, ...(key !== undefined && { 'idempotency-key': key }) };
  const reply = await edges[replica].inject({ method, url, headers, ...(payload && { payload }) });
  return { status: reply.statusCode, text: reply.body, body: reply.json(), headers: reply.headers };
}

let keys = 0;
const newKey = () => `idempotency-key-${keys++}`;
const TILL = { name: 'till 7', scopes: ['orders:read', 'orders:write'] };
const make = (key = newKey(), request: Request = {}, body: object = TILL) =>
  send('POST', '/v1/api-keys', body, { ...request, key });
const asColleague = { as: 'the-credential-of-the-colleague' };
const asStranger = { as: 'the-credential-of-the-stranger' };

describe('POST /v1/api-keys', () => {
  it('T1: makes a key that opens what its scopes name on every replica, and nothing else', async () => {
    const made = await make();
    expect([made.status, made.headers.location]).toEqual([201, `/v1/api-keys/${made.body.id}`]);
    expect(made.body).toMatchObject({ ...TILL, status: 'active', expiresAt: null, revokedAt: null, lastUsedAt: null });
    expect(made.body.key.startsWith(`${made.body.prefix}_`)).toBe(true);
    for (const replica of [0, 1] as const) {
      const request = { as: made.body.key, replica };
      expect((await send('GET', '/v1/config', undefined, request)).status).toBe(200);
      const refused = await send('GET', '/v1/api-keys', undefined, request);
      expect([refused.status, refused.body.code]).toEqual([403, 'insufficient-scope']);
      expect(refused.body.detail).toContain('`admin`');
    }
  });

  it('K2: a retry with the same credential gets the same bytes on every replica, the key among them', async () => {
    const key = newKey();
    const first = await make(key);
    for (const replica of [0, 1] as const) {
      const again = await make(key, { replica });
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect([again.headers['idempotent-replayed'], again.headers.location]).toEqual(['true', first.headers.location]);
    }
    expect((await send('GET', '/v1/api-keys')).body.apiKeys).toHaveLength(1);
  });

  it('K2: a retry with another credential of the tenant gets the same without the key', async () => {
    const key = newKey();
    const { key: secret, ...shown } = (await make(key)).body;
    expect(secret).toBeDefined();
    const again = await make(key, asColleague);
    expect([again.status, again.body]).toEqual([201, shown]);
  });

  it('K2: keeps the key nowhere: neither the table nor the stored answer has a part of its secret', async () => {
    const { key, id } = (await make()).body;
    const secret = key.slice(key.lastIndexOf('_') + 1);
    const { rows } = await database.pool.query(
      `select k::text || convert_from(c.answer, 'UTF8') || c::text as stored from api_keys k, holdfast.claims c`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].stored).toContain(id);
    for (const part of [key, secret, secret.slice(0, 12), Buffer.from(secret.slice(0, 24)).toString('hex')])
      expect(rows[0].stored).not.toContain(part);
  });

  it('H14: two at once on two replicas make one key, and both are shown it', async () => {
    const key = newKey();
    const replies = await Promise.all([0, 1, 0, 1].map((replica) => make(key, { replica: replica as 0 | 1 })));
    const shown = new Set(replies.filter(({ status }) => status === 201).map(({ text }) => text));
    expect(shown.size).toBe(1);
    expect((await send('GET', '/v1/api-keys')).body.apiKeys).toHaveLength(1);
    const [text = ''] = shown;
    expect((await send('GET', '/v1/config', undefined, { as: JSON.parse(text).key })).status).toBe(200);
  });

  it('K1: of a process that died before it had made one, the next attempt makes it', async () => {
    const key = newKey();
    const operation = 'POST /v1/api-keys';
    const fingerprint = fingerprinter.of(operation, TILL, { nameMembers: true });
    const id = keyId(fingerprinter, 'shop', key);
    const origin = { actor: 'key:x', reason: null, requestId: 'r', traceId: 't' };
    const entry = { ...origin, verb: 'makeApiKey', target: '/x', asked: {} } as const;
    const claim = { id, tenantId: 'shop', operation, resource: '/x', fingerprint, createdAt: now(), entry } as const;
    expect(await claimKey(database.pool, claim)).toBe(true);
    const made = await make(key, { replica: 1 });
    expect([made.status, made.headers['idempotent-replayed']]).toEqual([201, 'false']);
    expect((await send('GET', '/v1/config', undefined, { as: made.body.key })).status).toBe(200);
    expect((await make(key)).text).toBe(made.text);
  });

  it('H15: past the retention of its answer, a retry gets it as it is, without the key', async () => {
    const key = newKey();
    const { key: _, ...shown } = (await make(key)).body;
    now = () => new Date(Date.now() + RETENTION.keyLifetimeMs + 1);
    expect((await make(key)).body).toEqual(shown);
  });

  it('T4: is in the audit log, with its outcome and without a secret; so is what a made key does', async () => {
    const maker = (await make(newKey(), {}, { name: 'office', scopes: ['admin', 'operate'] })).body;
    const made = (await make(newKey(), { as: maker.key })).body;
    await send('DELETE', `/v1/api-keys/${made.id}`, undefined, { as: maker.key });
    const { entries } = (await send('GET', '/v1/audit')).body;
    expect(entries).toMatchObject([
      { verb: 'revokeApiKey', actor: maker.prefix, target: `/v1/api-keys/${made.id}`, outcome: 'done' },
      { verb: 'makeApiKey', actor: maker.prefix, target: `/v1/api-keys/${made.id}`, outcome: 'done' },
      { verb: 'makeApiKey', actor: expect.stringMatching(/^key:/), asked: { scopes: ['admin', 'operate'] } },
    ]);
    for (const { key } of [maker, made]) expect(JSON.stringify(entries)).not.toContain(key.slice(-49));
  });

  it('K5: when its claim is gone, the same request finds the key that it made, and makes no second one', async () => {
    const key = newKey();
    const { key: _, ...shown } = (await make(key)).body;
    await database.pool.query('truncate holdfast.claims');
    const again = await make(key);
    expect([again.status, again.body]).toEqual([201, shown]);
    expect((await send('GET', '/v1/api-keys')).body.apiKeys).toHaveLength(1);
  });

  it('refuses a key that would never count, and instants that there are none of, and makes nothing', async () => {
    const wrong: [string, object][] = [
      ['/expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
      ['/expiresAt', { notBefore: '2031-01-01T00:00:00Z', expiresAt: '2031-01-01T00:00:00Z' }],
      ['/expiresAt', { expiresAt: '2031-02-30T00:00:00Z' }],
      ['/notBefore', { notBefore: '0000-01-01T00:00:00Z' }],
      ['/scopes', { scopes: ['operate', 'operate'] }],
      ['/scopes', { scopes: [] }],
      ['/scopes/0', { scopes: ['everything'] }],
      ['/name', { name: '' }],
      ['/colour', { colour: 'red' }],
    ];
    for (const [pointer, own] of wrong) {
      const refused = await make(newKey(), {}, { ...TILL, ...own });
      expect([refused.status, refused.body.code], JSON.stringify(own)).toEqual([400, 'invalid-request']);
      expect(refused.body.errors[0].pointer).toBe(pointer);
    }
    expect((await send('GET', '/v1/api-keys')).body.apiKeys).toEqual([]);
  });

  it('K2: a key that has ended since is shown to a retry as on the first day', async () => {
    const key = newKey();
    const body = { ...TILL, expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
    const first = await make(key, {}, body);
    expect(first.status, first.text).toBe(201);
    await database.pool.query(`update api_keys set not_before = now() - interval '2 days', expires_at = now()`);
    expect((await make(key, {}, body)).text).toBe(first.text);
    expect((await send('GET', `/v1/api-keys/${first.body.id}`)).body.status).toBe('expired');
  });

  it('makes a thousand for a tenant, and the next one once others are revoked', async () => {
    await database.pool.query(
      `insert into api_keys (id, tenant_id, name, scopes, digest, not_before, created_at)
       select 'planted-' || n, 'shop', 'planted', '{operate}', '', now(), now() from generate_series(1, $1::int) n`,
      [MAX_API_KEYS],
    );
    const key = newKey();
    expect((await make(key)).body).toMatchObject({ status: 409, code: 'conflict' });
    expect((await make(newKey(), asStranger)).status).toBe(201);
    await database.pool.query(`update api_keys set revoked_at = now() where id = 'planted-1'`);
    expect((await make(key)).status).toBe(201);
  });
});

describe('the keys of a tenant', () => {
  it('are listed page by page, newest first, without a secret; and no other tenant’s', async () => {
    const made = [];
    for (const at of [1, 2, 3]) {
      now = () => new Date(Date.now() + at);
      made.unshift((await make()).body);
    }
    await make(newKey(), asStranger);
    const first = (await send('GET', '/v1/api-keys?limit=2')).body;
    const second = (await send('GET', `/v1/api-keys?limit=2&cursor=${first.nextCursor}`)).body;
    expect(second.nextCursor).toBeNull();
    const listed = [...first.apiKeys, ...second.apiKeys];
    expect(listed).toEqual(made.map(({ key: _, ...shown }) => shown));
  });

  it('T1: are another tenant’s business neither to read nor to revoke', async () => {
    const { id, key } = (await make()).body;
    for (const method of ['GET', 'DELETE'] as const)
      expect((await send(method, `/v1/api-keys/${id}`, undefined, asStranger)).status).toBe(404);
    expect((await send('GET', '/v1/config', undefined, { as: key })).status).toBe(200);
  });
});

describe('DELETE /v1/api-keys/{id}', () => {
  it('T3: ends a key at once where it is asked, on every other replica by its next look', async () => {
    const { id, key } = (await make()).body;
    const call = (replica: 0 | 1) => send('GET', '/v1/config', undefined, { as: key, replica });
    expect([(await call(0)).status, (await call(1)).status]).toEqual([200, 200]);
    const revoked = await send('DELETE', `/v1/api-keys/${id}`, undefined, { key: newKey() });
    expect([revoked.status, revoked.body.status]).toEqual([200, 'revoked']);
    const refused = await call(0);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="holdfast", error="invalid_token"',
    ]);
  });

  it('does nothing again: the first instant stays, with a key or without', async () => {
    const { id } = (await make()).body;
    const key = newKey();
    const first = await send('DELETE', `/v1/api-keys/${id}`, undefined, { key });
    expect((await send('DELETE', `/v1/api-keys/${id}`, undefined, { key, replica: 1 })).text).toBe(first.text);
    expect((await send('DELETE', `/v1/api-keys/${id}`)).text).toBe(first.text);
    expect((await send('DELETE', `/v1/api-keys/${'x'.repeat(22)}`)).status).toBe(404);
  });
});

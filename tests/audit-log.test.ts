/**
 * T4: the audit log names who has changed what. Each changing route of /openapi.json but the placing of orders has an entry in
 * LOGGED; one that has none makes the first test red, and one that writes nothing to the log makes its own red.
 */
import { Metadata } from '@grpc/grpc-js';
import { newKey } from '@holdfast/client';
import { connect, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  arrange,
  changingOperations,
  completedOrder,
  get,
  resumeAll,
  sendUntilKnown,
  shop,
  slowOrder,
  unique,
  type World,
  worldOf,
} from './changing-routes.ts';
import { joinSystem, type System, setUpCatalogue } from './system.ts';

let system: System;
let world: World;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
  world = await worldOf(system);
});
afterAll(async () => {
  await world?.orders.end();
  await system?.stop();
});

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const SETTING = expect.stringMatching(/^key:[0-9a-f]{12}$/);

/** What the request of each verb asks for (changing-routes.ts), and what it has changed. */
const LOGGED: Record<string, { asked?: object; before?: object; after: object; target?: unknown }> = {
  makeApiKey: {
    asked: { scopes: ['orders:read'] },
    after: { id: expect.any(String), scopes: ['orders:read'] },
    target: expect.stringMatching(/^\/v1\/api-keys\/\w+$/),
  },
  revokeApiKey: { after: { revokedAt: expect.any(String) } },
  refundOrder: { asked: { amount: 400 }, after: { refundId: expect.any(String), amount: 400, currency: 'EUR' } },
  putStock: {
    asked: { onHand: 500, unitPrice: 250 },
    before: { onHand: 100, unitPrice: 1_000, version: 1 },
    after: { onHand: 500, unitPrice: 250, version: 2 },
  },
  adjustStock: { asked: { delta: 5 }, before: { onHand: 100 }, after: { onHand: 105 } },
  putAccount: { asked: { balance: 10_000 }, before: { balance: 20_000 }, after: { balance: 10_000 } },
  adjustAccount: { asked: { delta: -100 }, before: { balance: 20_000 }, after: { balance: 19_900 } },
  cancelOrder: { before: { status: 'processing' }, after: { status: expect.any(String) } },
  dispatchOrder: { after: { shipmentId: expect.any(String), dispatchedAt: expect.any(String) } },
  compensateSaga: { before: { status: 'processing', epoch: 1 }, after: { status: expect.any(String) } },
  resumeSaga: { before: { status: 'parked', parked: { step: 'create-shipment', reason: 'planted' } }, after: {} },
  retrySaga: { before: { status: 'parked', epoch: 1 }, after: { epoch: 2 } },
};

/** The newest entries that this request has made. */
async function entriesOf(requestId: string) {
  const { entries } = await get(world, '/v1/audit?limit=100');
  return entries.filter((entry: { requestId: string }) => entry.requestId === requestId);
}

const as = (requestId: string, reason?: string) => ({
  headers: {
    'x-request-id': requestId,
    traceparent: TRACEPARENT,
    ...(reason !== undefined && { 'audit-reason': reason }),
  },
});

describe('every changing route', () => {
  it('T4: is in the audit log, but for the placing of orders', async () => {
    const operations = (await changingOperations(world)).map(({ operation }) => operation.operationId);
    expect(operations.filter((id) => id !== 'placeOrder').sort()).toEqual(Object.keys(LOGGED).sort());
  });

  it.each(Object.entries(LOGGED))(
    'T4: %s is logged once, whoever repeats it',
    async (verb, { asked, before, after, target }) => {
      const { method, arranged } = await arrange(world, verb);
      const [first, again, key] = [unique('first'), unique('again'), newKey()];
      const reply = await sendUntilKnown(world, method, arranged, { key, ...as(first, `a test of ${verb}`) });
      await system.setFaults({});
      await arranged.settle?.();
      expect(reply.status, reply.text).toBeLessThan(300);
      const repeated = await system.send(method, arranged.path, arranged.body, { key, ...as(again) });
      expect(repeated.headers.get('idempotent-replayed')).toBe('true');
      expect(await entriesOf(again)).toEqual([]);
      expect(await entriesOf(first)).toEqual([
        {
          ...{ id: expect.any(String), at: expect.any(String), decidedAt: expect.any(String) },
          ...{ actor: SETTING, verb, requestId: first, traceId: TRACE_ID, reason: `a test of ${verb}` },
          target: target ?? arranged.path.replace(/\/(adjust|cancel|dispatch|refunds|resume|retry|compensate)$/, ''),
          asked: asked ?? {},
          ...{ outcome: 'done', code: null },
          before: before === undefined ? null : expect.objectContaining(before),
          after: expect.objectContaining(after),
        },
      ]);
      if (verb === 'resumeSaga' || verb === 'retrySaga') await resumeAll(world);
    },
  );

  it('T4: without a key is logged each time, before and after', async () => {
    const of = await shop(world);
    for (const balance of [5, 5]) {
      const requestId = unique('unkeyed');
      expect((await system.send('PUT', of.account, { balance }, as(requestId))).status).toBe(200);
      expect(await entriesOf(requestId)).toMatchObject([
        {
          verb: 'putAccount',
          target: of.account,
          outcome: 'done',
          asked: { balance },
          after: { balance },
          reason: null,
        },
      ]);
    }
    const stale = unique('stale');
    const headers = { ...as(stale).headers, 'if-match': '"77"' };
    expect((await system.send('PUT', of.account, { balance: 6 }, { headers })).status).toBe(412);
    const missing = unique('missing');
    expect((await system.send('PUT', `/v1/stock/${missing}`, { onHand: 1 }, as(missing))).status).toBe(404);
    expect(await entriesOf(stale)).toMatchObject([{ outcome: 'refused', code: 'version-changed', after: null }]);
    expect(await entriesOf(missing)).toMatchObject([{ outcome: 'refused', code: 'not-found' }]);
  });
});

describe('a change that is refused', () => {
  it('T4: by the books is in the log; before its key is claimed it is not', async () => {
    const of = await shop(world);
    const adjusted = async (delta: unknown, options: { headers: Record<string, string>; apiKey?: string }) =>
      (await system.send('POST', `${of.account}/adjust`, { delta }, { key: newKey(), ...options })).status;
    const [empty, faulty, strange, wordy] = [unique('empty'), unique('faulty'), unique('strange'), unique('wordy')];
    expect(await adjusted(-1_000_000, as(empty))).toBe(409);
    expect(await adjusted('all of it', as(faulty))).toBe(400);
    expect(await adjusted(1, { ...as(strange), apiKey: 'no-key-of-anybody' })).toBe(401);
    expect(await adjusted(1, as(wordy, 'x'.repeat(201)))).toBe(400);
    expect(await entriesOf(empty)).toMatchObject([{ outcome: 'refused', code: 'insufficient-funds', after: null }]);
    for (const requestId of [faulty, strange, wordy]) expect(await entriesOf(requestId)).toEqual([]);
    expect(await get(world, of.account)).toMatchObject({ balance: 20_000 });
  });
});

describe('GET /v1/audit', () => {
  it('shows what one filter after the other leaves, page by page, newest first', async () => {
    const of = await shop(world);
    for (const delta of [1, 2, 3]) {
      await system.send('POST', `${of.account}/adjust`, { delta }, { key: newKey() });
    }
    const target = encodeURIComponent(of.account);
    const deltas: unknown[] = [];
    const verbs: string[] = [];
    let cursor = '';
    do {
      const page = await get(world, `/v1/audit?target=${target}&limit=3${cursor && `&cursor=${cursor}`}`);
      deltas.push(...page.entries.map(({ asked }: { asked: { delta?: number } }) => asked.delta));
      verbs.push(...page.entries.map(({ verb }: { verb: string }) => verb));
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(verbs).toEqual(['adjustAccount', 'adjustAccount', 'adjustAccount', 'putAccount']);
    expect(deltas).toEqual([3, 2, 1, undefined]);
    const { entries } = await get(world, `/v1/audit?target=${target}&verb=putAccount`);
    expect(entries).toHaveLength(1);
    const [{ at, actor }] = entries;
    const count = async (query: string) => (await get(world, `/v1/audit?target=${target}&${query}`)).entries.length;
    expect(await count(`to=${at}`)).toBe(0);
    expect(await count(`from=${at}&actor=${actor}`)).toBe(4);
    expect(await count('actor=somebody-else')).toBe(0);
    for (const wrong of ['from=2026-02-30T00:00:00Z', 'to=yesterday', 'verb=placeOrder', 'cursor=x', 'limit=0']) {
      expect((await system.send('GET', `/v1/audit?${wrong}`)).status, wrong).toBe(400);
    }
  });
});

describe('over gRPC', () => {
  it('T4: what changes something says who did it, as over HTTP', async () => {
    const of = await shop(world);
    const refunded = await completedOrder(world, of);
    const cancelled = await slowOrder(world, of);
    const call = rawCalls();
    const [refund, cancel, faulty] = [unique('refund'), unique('cancel'), unique('faulty')];
    try {
      const request = { orderId: refunded, amount: 100, lines: [], reason: 'damaged' };
      await call('RefundOrder', request, { 'x-request-id': refund, 'idempotency-key': newKey() });
      await call(
        'CancelOrder',
        { id: cancelled },
        { 'x-request-id': cancel, 'audit-reason': 'by telephone', traceparent: TRACEPARENT },
      );
      await expect(
        call('CancelOrder', { id: cancelled }, { 'x-request-id': faulty, 'audit-reason': 'x'.repeat(201) }),
      ).rejects.toThrow('audit-reason');
    } finally {
      call.close();
      await system.setFaults({});
      await system.untilEnded(cancelled);
    }
    expect(await entriesOf(refund)).toMatchObject([
      { verb: 'refundOrder', target: `/v1/orders/${refunded}`, reason: 'damaged', outcome: 'done', actor: SETTING },
    ]);
    expect(await entriesOf(cancel)).toMatchObject([
      { verb: 'cancelOrder', target: `/v1/orders/${cancelled}`, reason: 'by telephone', traceId: TRACE_ID },
    ]);
    expect(await entriesOf(faulty)).toEqual([]);
  });
});

/** A client that sends any header. */
function rawCalls() {
  const address = system.cluster.run.services.find(({ name }) => name === 'orchestrator')?.grpc ?? '';
  const channel = connect(address, operatorTls(system.cluster.run.tls, 'orchestrator'));
  const call = (method: 'RefundOrder' | 'CancelOrder', request: object, headers: Record<string, string>) => {
    const { path, requestSerialize, responseDeserialize } = services.orders[method];
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${system.cluster.run.apiKey}`);
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const options = { deadline: Date.now() + 20_000 };
    return new Promise<unknown>((resolve, reject) =>
      channel.makeUnaryRequest(
        path,
        requestSerialize as (request: object) => Buffer,
        responseDeserialize as (answer: Buffer) => unknown,
        request,
        metadata,
        options,
        (error, answer) => (error ? reject(error) : resolve(answer)),
      ),
    );
  };
  return Object.assign(call, { close: () => channel.close() });
}

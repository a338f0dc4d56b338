import { credentials, Metadata, Client as RawClient } from '@grpc/grpc-js';
import { createLog } from '@holdfast/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { services } from './protos.ts';
import { type RunningServer, service, startServer } from './server.ts';
import type { ServerCall } from './server-call.ts';
import { decodeStatus } from './status-details.ts';

// A client of its own, which can send what ours never would.
let server: RunningServer;
let raw: RawClient;
let read: (call: ServerCall) => unknown;
beforeAll(async () => {
  const unused = () => Promise.reject(new Error('not part of this test'));
  const bound = service(services.inventory, {
    ReserveInventory: unused,
    ReleaseInventory: unused,
    ReserveRestock: unused,
    ReleaseRestock: unused,
    Restock: unused,
    GetStep: unused,
    PutStock: unused,
    AdjustStock: unused,
    GetStock: async (_request, call) => ({
      kind: 'completed',
      message: { stock: { sku: JSON.stringify(read(call)) } },
    }),
  });
  const log = createLog('test', 'silent');
  server = await startServer({ host: '127.0.0.1', port: 0, services: [bound], log, translate: () => undefined });
  raw = new RawClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
});
afterAll(async () => {
  raw.close();
  await server.stop(1_000);
});

type Read = { value: unknown } | { field: string | undefined; reason: string | undefined; pushback: string };

/** Sends these headers and returns what the server read with `reader`. */
function sent(headers: [string, string][], reader: typeof read, deadline?: number): Promise<Read> {
  read = reader;
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  const { path, requestSerialize, responseDeserialize } = services.inventory.GetStock;
  const options = deadline === undefined ? {} : { deadline };
  return new Promise((resolve) => {
    raw.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { sku: 'a' },
      metadata,
      options,
      (error, answer) => {
        if (!error) return resolve({ value: JSON.parse(answer?.stock?.sku ?? 'null') });
        const bytes = error.metadata.get('grpc-status-details-bin')[0] as Buffer;
        const detail = decodeStatus(bytes);
        const pushback = String(error.metadata.get('grpc-retry-pushback-ms')[0]);
        resolve({ field: detail?.metadata.field, reason: detail?.reason, pushback });
      },
    );
  });
}

const wrong = (field: string, reason = 'INVALID_REQUEST') => ({ field, reason, pushback: '-1' });

describe('the metadata of a call', () => {
  it.each<[string, [string, string][], typeof read, unknown]>([
    ['a key', [['idempotency-key', 'A-z.0_9~:abcdefgh']], (call) => call.key(), 'A-z.0_9~:abcdefgh'],
    ['a tenant', [['tenant-id', 'shop_1-a']], (call) => call.tenantId(), 'shop_1-a'],
    ['an epoch', [['saga-epoch', '42']], (call) => call.epoch(), 42],
    ['no epoch', [], (call) => call.epoch(), 0],
    ['a credential', [['authorization', 'Bearer x']], (call) => call.authorization(), 'Bearer x'],
    ['no deadline', [], (call) => call.remainingMs(), 60_000],
  ])('with %s is read', async (_name, headers, reader, value) => {
    expect(await sent(headers, reader)).toEqual({ value });
  });

  const key = (call: ServerCall) => call.key();
  const tenantId = (call: ServerCall) => call.tenantId();
  const epoch = (call: ServerCall) => call.epoch();
  const good = 'long-enough-to-be-a-key';
  it.each<[string, [string, string][], typeof read, object]>([
    ['G1: no key', [], key, wrong('idempotency-key', 'IDEMPOTENCY_KEY_MISSING')],
    ['G2: an empty key', [['idempotency-key', '']], key, wrong('idempotency-key', 'IDEMPOTENCY_KEY_INVALID')],
    ['G2: a short key', [['idempotency-key', 'short']], key, wrong('idempotency-key', 'IDEMPOTENCY_KEY_INVALID')],
    [
      'G2: two keys',
      [
        ['idempotency-key', good],
        ['idempotency-key', `${good}-2`],
      ],
      key,
      wrong('idempotency-key', 'IDEMPOTENCY_KEY_INVALID'),
    ],
    [
      'G2: the same key twice',
      [
        ['idempotency-key', good],
        ['idempotency-key', good],
      ],
      key,
      wrong('idempotency-key', 'IDEMPOTENCY_KEY_INVALID'),
    ],
    ['no tenant', [], tenantId, wrong('tenant-id')],
    ['a tenant with a dot', [['tenant-id', 'a.b']], tenantId, wrong('tenant-id')],
    [
      'two tenants',
      [
        ['tenant-id', 'a'],
        ['tenant-id', 'b'],
      ],
      tenantId,
      wrong('tenant-id'),
    ],
    ['an epoch below 0', [['saga-epoch', '-1']], epoch, wrong('saga-epoch')],
    ['an epoch in words', [['saga-epoch', 'two']], epoch, wrong('saga-epoch')],
    ['an epoch beyond 2^53', [['saga-epoch', '9007199254740993']], epoch, wrong('saga-epoch')],
  ])('with %s is refused, naming the field', async (_name, headers, reader, expected) => {
    expect(await sent(headers, reader)).toEqual(expected);
  });

  it('reads how long the caller will wait, at most a minute', async () => {
    const left = async (inMs: number) => {
      const expected = await sent([], (call) => call.remainingMs(), Date.now() + inMs);
      return 'value' in expected ? Number(expected.value) : Number.NaN;
    };
    expect(await left(5_000)).toBeGreaterThan(1_000);
    expect(await left(5_000)).toBeLessThanOrEqual(5_000);
    expect(await left(3_600_000)).toBe(60_000);
  });
});

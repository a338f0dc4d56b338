import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { credentials, loadPackageDefinition, Client as RawClient, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createLog } from '@holdfast/service';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { services } from './protos.ts';
import { type RunningServer, service, startServer } from './server.ts';

// One method of a real service is enough: what is tested here is what lies between a call and its handler.
let behaviour: (sku: string) => Promise<{ sku: string }>;
let server: RunningServer;
let reflecting: RunningServer;
let client: Client<typeof services.inventory>;
let address: string;
const nothing = () => Promise.reject(new Error('not part of this test'));

beforeAll(async () => {
  const handlers = {
    ReserveInventory: nothing,
    ReleaseInventory: nothing,
    ReserveRestock: nothing,
    ReleaseRestock: nothing,
    Restock: nothing,
    GetStep: nothing,
    PutStock: nothing,
    async AdjustStock(request: { sku: string }, call: { key(): string }) {
      call.key();
      return { kind: 'completed' as const, message: { stock: { sku: request.sku } } };
    },
    async GetStock(request: { sku: string }) {
      return { kind: 'completed' as const, message: { stock: await behaviour(request.sku) } };
    },
  };
  const log = createLog('test', 'silent');
  const bound = service(services.inventory, handlers);
  const options = { host: '127.0.0.1', port: 0, services: [bound], log, translate: () => undefined };
  server = await startServer(options);
  reflecting = await startServer({ ...options, reflection: true });
  address = `127.0.0.1:${server.port}`;
  client = createClient(services.inventory, address);
});
afterAll(async () => {
  client.close();
  await Promise.all([server, reflecting].map((one) => one.stop(1_000)));
});

describe('a call', () => {
  it('brings back what its handler gives', async () => {
    behaviour = async (sku) => ({ sku });
    const got = await client.GetStock({ sku: 'apple' }, { timeoutMs: 5_000 });
    expect(got).toMatchObject({ kind: 'completed', message: { stock: { sku: 'apple', onHand: 0 } } });
  });

  it('whose handler throws is INTERNAL, and reveals nothing of what was thrown', async () => {
    behaviour = async () => {
      throw new Error('a secret');
    };
    const got = await client.GetStock({ sku: 'apple' }, { timeoutMs: 5_000 });
    expect(got).toMatchObject({ kind: 'error', reason: 'INTERNAL', pushbackMs: 1_000 });
    expect(JSON.stringify(got)).not.toContain('secret');
  });

  it('G13: whose deadline passes goes on all the same', async () => {
    const ended = Promise.withResolvers<string>();
    const release = Promise.withResolvers<void>();
    behaviour = async (sku) => {
      await release.promise;
      ended.resolve('worked on');
      return { sku };
    };
    const got = await client.GetStock({ sku: 'apple' }, { timeoutMs: 50 });
    expect(got).toMatchObject({ kind: 'error', reason: 'DEADLINE_EXCEEDED' });
    release.resolve();
    expect(await ended.promise).toBe('worked on');
  });

  it('G1, G2: names what is wrong with its key', async () => {
    const call = (key?: string) =>
      client.AdjustStock({ sku: 'a', delta: 1 }, { timeoutMs: 5_000, ...(key && { key }) });
    expect(await call()).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING', metadata: { field: 'idempotency-key' } });
    expect(await call('short')).toMatchObject({ reason: 'IDEMPOTENCY_KEY_INVALID' });
    expect(await call('long-enough-to-be-a-key')).toMatchObject({ kind: 'completed' });
  });

  it('to a server that is not there is UNAVAILABLE at once', async () => {
    const absent = createClient(services.inventory, '127.0.0.1:1');
    expect(await absent.GetStock({ sku: 'a' }, { timeoutMs: 5_000 })).toMatchObject({ reason: 'UNAVAILABLE' });
    absent.close();
  });
});

describe('every server', () => {
  it('answers health checks, and stops saying that it serves on request', async () => {
    const raw = new RawClient(address, credentials.createInsecure());
    const check = (name: string) =>
      new Promise((resolve, reject) => {
        const method = healthService.Check;
        if (method === undefined) throw new Error('no Check in the health service');
        const { path, requestSerialize, responseDeserialize } = method;
        const request = { service: name };
        raw.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
          error ? reject(error) : resolve((answer as { status: string }).status),
        );
      });
    expect(await check('holdfast.inventory.v1.InventoryService')).toBe('SERVING');
    server.setServing(false);
    expect(await check('')).toBe('NOT_SERVING');
    server.setServing(true);
    raw.close();
  });

  it('lists its services by reflection where that is asked for, and to nobody else', async () => {
    const { services: listed } = await reflect(`127.0.0.1:${reflecting.port}`);
    expect(listed).toContain('holdfast.inventory.v1.InventoryService');
    await expect(reflect(address)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

async function reflect(to: string): Promise<{ services: string[] }> {
  const main = createRequire(import.meta.url).resolve('@grpc/reflection');
  const proto = join(dirname(main), '../proto/grpc/reflection/v1/reflection.proto');
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true })) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: typeof RawClient & { service: typeof healthService } } } };
  };
  const definition = loaded.grpc.reflection.v1.ServerReflection.service as unknown as Record<
    string,
    { path: string; requestSerialize: (v: object) => Buffer; responseDeserialize: (b: Buffer) => unknown }
  >;
  const method = definition.ServerReflectionInfo;
  if (method === undefined) throw new Error('no ServerReflectionInfo in the reflection proto');
  const raw = new RawClient(to, credentials.createInsecure());
  const stream = raw.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  return await new Promise((resolve, reject) => {
    stream.on('data', (answer: { list_services_response: { service: { name: string }[] } }) => {
      stream.end();
      raw.close();
      resolve({ services: answer.list_services_response.service.map(({ name }) => name) });
    });
    stream.on('error', reject);
    stream.write({ list_services: '' });
  });
}

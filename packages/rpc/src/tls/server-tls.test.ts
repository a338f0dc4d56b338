import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { credentials, Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import type { Authority } from '@holdfast/certificates';
import { createLog } from '@holdfast/service';
import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { certificates, ended, newAuthority, readableLog, type Told } from '../../test/test-tls.ts';
import { type Client, connect, createClient } from '../client.ts';
import { services } from '../protos.ts';
import { type RunningServer, service, startServer } from '../server.ts';
import type { Certificates } from './certificates.ts';
import type { ChannelTls } from './channel-tls.ts';
import { Refusals } from './refusals.ts';

const nothing = () => Promise.reject(new Error('not part of this test'));
const HANDLERS = {
  ReserveInventory: nothing,
  ReleaseInventory: nothing,
  ReserveRestock: nothing,
  ReleaseRestock: nothing,
  Restock: nothing,
  GetStep: nothing,
  PutStock: nothing,
  AdjustStock: nothing,
  async GetStock({ sku }: { sku: string }) {
    handled += 1;
    return { kind: 'completed' as const, message: { stock: { sku } } };
  },
};

let authority: Authority;
let stranger: Authority;
let server: RunningServer;
let told: Told[];
let handled: number;
let refused: number;
const clients: { close(): void }[] = [];

beforeAll(async () => {
  [authority, stranger] = await Promise.all([newAuthority(), newAuthority()]);
});
beforeEach(async () => {
  const { log, told: lines } = readableLog();
  [told, handled, refused] = [lines, 0, 0];
  server = await startServer({
    host: '127.0.0.1',
    port: 0,
    services: [service(services.inventory, HANDLERS)],
    reflection: true,
    log,
    tls: {
      certificates: await certificates(authority, 'inventory'),
      allow: ['orchestrator', 'spiffe://shop/orchestrator'],
      onRefused: () => {
        refused += 1;
      },
    },
    translate: () => undefined,
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop(1_000);
});

const address = () => `127.0.0.1:${server.port}`;
const expects = (own: Certificates, serverName = 'inventory'): ChannelTls => ({ certificates: own, serverName });

function clientOf(tls: ChannelTls | undefined): Client<typeof services.inventory> {
  const client = createClient(services.inventory, address(), tls);
  clients.push(client);
  return client;
}

const ask = (client: Client<typeof services.inventory>) => client.GetStock({ sku: 'tea' }, { timeoutMs: 5_000 });
const refusals = () => told.map(({ about }) => about);

describe('T1: a service with mutual TLS', () => {
  it.each(['orchestrator', 'spiffe://shop/orchestrator'])(
    'answers a caller whose certificate says %s',
    async (name) => {
      const own = await certificates(authority, name);
      expect(await ask(clientOf(expects(own)))).toMatchObject({
        kind: 'completed',
        message: { stock: { sku: 'tea' } },
      });
      expect(told).toEqual([]);
    },
  );

  it.each([
    [
      'of another authority',
      async () => certificates(stranger, 'orchestrator', { trust: authority }),
      /no authority of/,
    ],
    ['that has ended', async () => certificates(authority, 'orchestrator', ended), /has ended/],
    [
      'that is not for calling',
      async () => certificates(authority, 'orchestrator', { use: ['server'] }),
      /not for calling/,
    ],
  ])('gives a caller with a certificate %s no connection, and says so once', async (_what, own, why) => {
    const caller = clientOf(expects(await own()));
    for (const _time of [1, 2]) expect(await ask(caller)).toMatchObject({ kind: 'error', reason: 'UNAVAILABLE' });
    await vi.waitFor(() => expect(refused).toBeGreaterThan(1), 5_000);
    expect(handled).toBe(0);
    expect(refusals()).toEqual([{ peer: '127.0.0.1', why: expect.stringMatching(why) }]);
  });

  it('gives a caller without a certificate, or in clear text, no connection, and says so once', async () => {
    expect(await ask(clientOf(undefined))).toMatchObject({ kind: 'error', reason: 'UNAVAILABLE' });
    const bare = new GrpcClient(address(), credentials.createSsl(Buffer.from(authority.cert)), {
      'grpc.ssl_target_name_override': 'inventory',
    });
    clients.push(bare);
    await expect(stockBy(bare)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(handled).toBe(0);
    await vi.waitFor(() =>
      expect(refusals().map(({ why }) => why)).toEqual(['it speaks in clear text', 'it shows no certificate']),
    );
  });

  it('refuses every call of a caller with another name, and says which name once', async () => {
    const channel = connect(address(), expects(await certificates(authority, 'shipping')));
    clients.push(channel);
    const denied = { code: status.PERMISSION_DENIED, details: expect.stringContaining('GRPC_TLS_ALLOW') };
    await expect(stockBy(channel)).rejects.toMatchObject(denied);
    await expect(healthBy(channel)).rejects.toMatchObject(denied);
    await expect(
      streamEnds(channel, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
    ).resolves.toMatchObject(denied);
    expect(handled).toBe(0);
    expect(refused).toBe(3);
    expect(refusals()).toEqual([{ peer: 'shipping', why: expect.stringContaining('GRPC_TLS_ALLOW') }]);
  });

  it('gives the refusal a reason that tells what to do', async () => {
    const got = await ask(clientOf(expects(await certificates(authority, 'shipping'))));
    expect(got).toMatchObject({ kind: 'error', reason: 'PEER_NOT_ALLOWED', pushbackMs: -1 });
  });

  it('is not fooled by a name that looks like several', async () => {
    const own = await certificates(authority, 'shipping', { otherNames: ['http://a/, DNS:orchestrator, b'] });
    expect(await ask(clientOf(expects(own)))).toMatchObject({ reason: 'PEER_NOT_ALLOWED' });
  });

  it('names a hundred refused peers at most, and says that there are more', async () => {
    const { log, told: lines } = readableLog();
    const all = new Refusals(log);
    for (let at = 0; at < 500; at++) all.refuse(`peer-${at}`, 'why');
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)?.message).toContain('more peers');
  });

  it('says nothing of who only looks whether the port is open', async () => {
    for (let times = 0; times < 3; times++) {
      const socket = connectTcp(server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    }
    await ask(clientOf(expects(await certificates(authority, 'orchestrator'))));
    expect(told).toEqual([]);
  });
});

describe('T1: a caller', () => {
  it.each([
    ['of another authority', () => certificates(authority, 'orchestrator', { trust: stranger }), 'inventory'],
    ['of another name', () => certificates(authority, 'orchestrator'), 'payment'],
  ])('sends nothing to a service with a certificate %s', async (_what, own, serverName) => {
    const got = await ask(clientOf(expects(await own(), serverName)));
    expect(got).toMatchObject({ kind: 'error', reason: 'UNAVAILABLE' });
    expect(handled).toBe(0);
  });

  it('needs no certificate where the service asks for none', async () => {
    const open = await startServer({
      host: '127.0.0.1',
      port: 0,
      services: [service(services.inventory, HANDLERS)],
      log: createLog('test', 'silent'),
      tls: { certificates: await certificates(authority, 'orchestrator'), allow: undefined },
      translate: () => undefined,
    });
    const bare = new GrpcClient(`127.0.0.1:${open.port}`, credentials.createSsl(Buffer.from(authority.cert)), {
      'grpc.ssl_target_name_override': 'orchestrator',
    });
    await expect(stockBy(bare)).resolves.toMatchObject({ stock: { sku: 'tea' } });
    bare.close();
    await open.stop(1_000);
  });
});

function stockBy(channel: GrpcClient): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = services.inventory.GetStock;
  return unary(channel, path, requestSerialize as (value: object) => Buffer, responseDeserialize, { sku: 'tea' });
}

function healthBy(channel: GrpcClient): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = healthService.Check ?? nowhere();
  return unary(channel, path, requestSerialize, responseDeserialize, { service: '' });
}

function nowhere(): never {
  throw new Error('no Check in the health service');
}

function unary(
  channel: GrpcClient,
  path: string,
  serialize: (value: object) => Buffer,
  deserialize: (bytes: Buffer) => unknown,
  request: object,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(
      path,
      serialize,
      deserialize,
      request,
      { deadline: Date.now() + 5_000 },
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
  });
}

/** Of a stream of anything, how it ends. */
function streamEnds(channel: GrpcClient, path: string): Promise<unknown> {
  const bytes = (value: Buffer) => value;
  const options = { deadline: Date.now() + 5_000 };
  const stream = channel.makeBidiStreamRequest(path, bytes, bytes, new Metadata(), options);
  stream.write(Buffer.alloc(0));
  return new Promise((resolve) => {
    stream.on('data', () => {});
    stream.on('error', resolve);
  });
}

import { Metadata, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { services } from './protos.ts';
import { encodeStatus } from './status-details.ts';

// A foreign server, which answers in ways ours never does: a proxy in between, or another version of us.
let server: Server;
let client: Client<typeof services.inventory>;
let answer: () => { code: number; details: string; metadata: Metadata };
let calls = 0;
let received = new Metadata();
let [arrived, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
beforeAll(async () => {
  server = new Server();
  server.addService(services.inventory as unknown as ServiceDefinition, {
    GetStock: (call: { metadata: Metadata }, callback: (error: object) => void) => {
      calls += 1;
      received = call.metadata;
      callback(answer());
    },
    // Answers nothing, ever.
    GetStep: (call: { on(event: 'cancelled', listener: () => void): void }) => {
      arrived.resolve();
      call.on('cancelled', cancelled.resolve);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  client = createClient(services.inventory, `127.0.0.1:${port}`);
});
afterAll(() => {
  client.close();
  server.forceShutdown();
});

const failing = (trailers: [string, string | Buffer][], code: number = status.UNAVAILABLE) => {
  const metadata = new Metadata();
  for (const [name, value] of trailers) metadata.set(name, value);
  answer = () => ({ code, details: 'from a proxy', metadata });
};
const ask = () => client.GetStock({ sku: 'a' }, { timeoutMs: 5_000 });

describe('a call that failed', () => {
  it('without our details is named by its status code', async () => {
    failing([]);
    expect(await ask()).toEqual({
      kind: 'error',
      code: status.UNAVAILABLE,
      reason: 'UNAVAILABLE',
      message: 'from a proxy',
      metadata: {},
      pushbackMs: null,
      replayed: false,
    });
  });

  it('with damaged or foreign details is, too', async () => {
    const ours = encodeStatus({ code: 9, message: 'x', reason: 'SEALED', metadata: {} });
    // Same length, so that the message stays well-formed: the reason of another domain is not ours to understand.
    const theirs = Buffer.from(ours.toString('latin1').replace('holdfast', 'elsewhr.'), 'latin1');
    expect(theirs.equals(ours)).toBe(false);
    for (const bytes of [Buffer.from([0x1a, 0xff, 0x01]), Buffer.from('no status at all'), theirs]) {
      failing([['grpc-status-details-bin', bytes]], status.ABORTED);
      expect(await ask()).toMatchObject({ reason: 'ABORTED', metadata: {} });
    }
  });

  it.each([
    ['200', 200],
    ['0', 0],
    ['-1', -1],
    ['soon', null],
    ['1.5', null],
    ['0x10', null],
    ['', null],
  ])('pushed back by "%s" reads digits only', async (pushback, pushbackMs) => {
    failing([['grpc-retry-pushback-ms', pushback]]);
    expect(await ask()).toMatchObject({ pushbackMs });
  });

  it('is sent once, even where gRPC would retry it by itself: the saga is the one layer that retries', async () => {
    failing([['grpc-retry-pushback-ms', '0']]);
    calls = 0;
    await ask();
    expect(calls).toBe(1);
  });
});

describe('a call', () => {
  it('carries what it was given as metadata, and nothing else of ours', async () => {
    failing([]);
    const own = ['idempotency-key', 'saga-epoch', 'tenant-id', 'authorization', 'traceparent'];
    const got = () => own.map((name) => received.get(name)[0]?.toString());
    await client.GetStock(
      { sku: 'a' },
      { timeoutMs: 5_000, key: 'k', epoch: 3, tenantId: 't', authorization: 'Bearer x', traceparent: '00-1-2-01' },
    );
    expect(got()).toEqual(['k', '3', 't', 'Bearer x', '00-1-2-01']);
    await ask();
    expect(got()).toEqual(own.map(() => undefined));
  });

  it('S4: that is not answered in time ends as DEADLINE_EXCEEDED, in bounded time', async () => {
    const startedAtMs = performance.now();
    expect(await client.GetStep({ key: 'k' }, { timeoutMs: 100 })).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it('ends as CANCELLED when its caller gives up, before or while it runs, and the server hears of it', async () => {
    expect(await client.GetStep({ key: 'k' }, { timeoutMs: 5_000, signal: AbortSignal.abort() })).toMatchObject({
      reason: 'CANCELLED',
    });
    [arrived, cancelled] = [Promise.withResolvers(), Promise.withResolvers()];
    const controller = new AbortController();
    const running = client.GetStep({ key: 'k' }, { timeoutMs: 5_000, signal: controller.signal });
    await arrived.promise;
    controller.abort();
    expect(await running).toMatchObject({ reason: 'CANCELLED' });
    await cancelled.promise;
  });
});

describe('a client with connections of its own', () => {
  it('that was refused before the server listened keeps no other client from its first call', async () => {
    failing([]);
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const inBackground = createClient(services.inventory, address, undefined, { isAlone: true });
    const first = createClient(services.inventory, address);
    const late = new Server();
    try {
      // Often enough for its next attempt to be a while away.
      for (let n = 0; n < 4; n++) await refused(inBackground);
      late.addService(services.inventory as unknown as ServiceDefinition, {
        GetStock: (_: unknown, callback: (error: null, message: object) => void) => callback(null, { stock: null }),
      });
      await bound(late, address);
      expect(await first.GetStock({ sku: 'a' }, { timeoutMs: 5_000 })).toMatchObject({ kind: 'completed' });
    } finally {
      for (const one of [inBackground, first]) one.close();
      late.forceShutdown();
    }
  });
});

async function refused(one: Client<typeof services.inventory>): Promise<void> {
  expect(await one.GetStock({ sku: 'a' }, { timeoutMs: 5_000 })).toMatchObject({
    kind: 'error',
    reason: 'UNAVAILABLE',
  });
}

function bound(one: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    one.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

async function freePort(): Promise<number> {
  const probe = new Server();
  const port = await bound(probe, '127.0.0.1:0');
  probe.forceShutdown();
  return port;
}

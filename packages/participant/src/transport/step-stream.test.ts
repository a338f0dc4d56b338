import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Server as LineServer, type Socket } from 'node:net';
import { type ClientDuplexStream, credentials, Metadata, Client as RawClient, type ServiceError } from '@grpc/grpc-js';
import type { RunStepsRequestInput, RunStepsResponse, StepCallInput } from '@holdfast/contracts';
import type { ServerCall } from '@holdfast/rpc';
import { decodeStatus, type RunningServer, service, services, startServer, stepService } from '@holdfast/rpc';
import { createLog } from '@holdfast/service';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createStepClient } from './step-client.ts';
import { MAX_CALLS_PER_MESSAGE, stepStreams } from './step-server.ts';

// One method of a real service is enough: what is tested here is what lies between a stream and its handlers.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Behaviour = (sku: string, call: ServerCall) => Promise<{ sku: string; onHand?: number }>;
interface Serving {
  server: RunningServer;
  address: string;
  /** The SKUs that its handler was asked for, in order. */
  asked: string[];
}

async function serve(behaviour: Behaviour = async (sku) => ({ sku }), offerSteps = true): Promise<Serving> {
  const nothing = () => Promise.reject(new Error('not part of this test'));
  const asked: string[] = [];
  const bound = service(services.inventory, {
    ReserveInventory: nothing,
    ReleaseInventory: nothing,
    ReserveRestock: nothing,
    ReleaseRestock: nothing,
    Restock: nothing,
    GetStep: nothing,
    PutStock: nothing,
    AdjustStock: nothing,
    async GetStock({ sku }, call) {
      asked.push(sku);
      return { kind: 'completed', message: { stock: await behaviour(sku, call) } };
    },
  });
  const log = createLog('test', 'silent');
  const options = {
    host: '127.0.0.1',
    port: 0,
    services: [bound],
    log,
    steps: offerSteps ? stepStreams : undefined,
    translate: () => undefined,
  };
  const server = await startServer(options);
  closing.push(() => server.stop(200));
  return { server, address: `127.0.0.1:${server.port}`, asked };
}

function stepClient(address: string) {
  const client = createStepClient(services.inventory, address);
  closing.push(() => client.close());
  return client;
}

const wait = { timeoutMs: 10_000, tenantId: 'shop' };
const okFor = (sku: string) => ({ kind: 'completed', replayed: false, message: { stock: { sku } } });
/** Ends when the test says so. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

type RawStream = ClientDuplexStream<RunStepsRequestInput | Buffer, RunStepsResponse>;

/** A stream whose messages the test writes itself; bytes are sent as they are. */
function rawStream(address: string): { stream: RawStream; ended: Promise<ServiceError | undefined> } {
  const raw = new RawClient(address, credentials.createInsecure());
  closing.push(() => raw.close());
  const { path, requestSerialize, responseDeserialize } = stepService.RunSteps;
  const serialize = (message: RunStepsRequestInput | Buffer) =>
    Buffer.isBuffer(message) ? message : requestSerialize(message);
  const stream = raw.makeBidiStreamRequest(path, serialize, responseDeserialize, new Metadata());
  const ended = Promise.withResolvers<ServiceError | undefined>();
  stream.on('error', (error: ServiceError) => ended.resolve(error));
  stream.on('end', () => ended.resolve(undefined));
  return { stream, ended: ended.promise };
}

const encode = services.inventory.GetStock.requestSerialize;
const stepCall = (id: number, sku: string): StepCallInput => ({
  id,
  method: 'GetStock',
  request: encode({ sku }),
  tenantId: 'shop',
  timeoutMs: 10_000,
});

describe('a stream of steps', () => {
  it('carries the calls of one turn to their handlers in one turn', async () => {
    const bothHere = gate();
    let waiting = 0;
    const { address } = await serve(async (sku) => {
      waiting += 1;
      if (waiting === 200) bothHere.open();
      await bothHere.opened;
      return { sku };
    });
    const client = stepClient(address);
    const skus = Array.from({ length: 200 }, (_, at) => `sku-${at}`);
    const results = await Promise.all(skus.map((sku) => client.GetStock({ sku }, wait)));
    expect(results).toMatchObject(skus.map(okFor));
  });

  it('brings each answer when it is known, whatever else was in its message', async () => {
    const slow = gate();
    const { address } = await serve(async (sku) => {
      if (sku === 'slow') await slow.opened;
      return { sku };
    });
    const client = stepClient(address);
    const [last, first] = ['slow', 'fast'].map((sku) => client.GetStock({ sku }, wait));
    expect(await first).toMatchObject(okFor('fast'));
    slow.open();
    expect(await last).toMatchObject(okFor('slow'));
  });

  it('S4: lost half-way leaves the unanswered unknown, and tells of the answered once', async () => {
    const held = gate();
    const { address, server } = await serve(async (sku) => {
      if (sku === 'slow') await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const lost = client.GetStock({ sku: 'slow' }, wait);
    expect(await client.GetStock({ sku: 'fast' }, wait)).toMatchObject(okFor('fast'));
    await server.stop(1);
    expect(await lost).toMatchObject({ kind: 'error', pushbackMs: null, replayed: false });
    held.open();
  });

  it('a call to a participant of an older release goes alone, with what is left of its time', async () => {
    const { address, asked } = await serve(undefined, false);
    const client = stepClient(address);
    const results = await Promise.all(['a', 'b', 'c'].map((sku) => client.GetStock({ sku }, wait)));
    expect(results).toMatchObject(['a', 'b', 'c'].map(okFor));
    expect(await client.GetStock({ sku: 'd' }, wait)).toMatchObject(okFor('d'));
    expect(asked.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('a call that is given up is known to be so at once, before it was sent and after', async () => {
    const held = gate();
    const { address, asked } = await serve(async (sku) => {
      await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const cancelled = { kind: 'error', reason: 'CANCELLED' };
    expect(await client.GetStock({ sku: 'never' }, { ...wait, signal: AbortSignal.abort() })).toMatchObject(cancelled);
    const [early, late] = [new AbortController(), new AbortController()];
    const beforeItIsSent = client.GetStock({ sku: 'never' }, { ...wait, signal: early.signal });
    const sent = client.GetStock({ sku: 'sent' }, { ...wait, signal: late.signal });
    early.abort();
    expect(await beforeItIsSent).toMatchObject(cancelled);
    await vi.waitFor(() => expect(asked).toEqual(['sent']));
    late.abort();
    expect(await sent).toMatchObject(cancelled);
    held.open();
  });

  it('a call whose time is up is unknown, and the next one goes by another stream', async () => {
    const held = gate();
    const { address } = await serve(async (sku) => {
      if (sku === 'slow') await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const opened = vi.spyOn(RawClient.prototype, 'makeBidiStreamRequest');
    expect(await client.GetStock({ sku: 'slow' }, { ...wait, timeoutMs: 100 })).toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
    });
    expect(opened).toHaveBeenCalledTimes(1);
    // There are two, taken in turn: a third call would meet the first stream again.
    for (const sku of ['a', 'b', 'c']) expect(await client.GetStock({ sku }, wait)).toMatchObject(okFor(sku));
    expect(opened).toHaveBeenCalledTimes(3);
    opened.mockRestore();
    held.open();
  });

  it('S4: a call is unknown at its own time, whatever was asked before it on the same stream', async () => {
    const held = gate();
    const { address } = await serve(async (sku) => {
      await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const patient = client.GetStock({ sku: 'patient' }, wait);
    const hasty = [300, 100].map((timeoutMs) => client.GetStock({ sku: 'hasty' }, { ...wait, timeoutMs }));
    expect(await Promise.all(hasty)).toMatchObject(Array(2).fill({ reason: 'DEADLINE_EXCEEDED' }));
    held.open();
    expect(await patient).toMatchObject(okFor('patient'));
  });

  it('a stream on which a call timed out is given up when nobody waits on it, even by a peer that never ends it', async () => {
    const held = gate();
    const cancelled = Promise.withResolvers<void>();
    const { address } = await serve(async (sku, call) => {
      call.signal.addEventListener('abort', () => cancelled.resolve(), { once: true });
      await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const all = ['a', 'b'].map((sku, at) => client.GetStock({ sku }, { ...wait, timeoutMs: 100 + 100 * at }));
    expect(await Promise.all(all)).toMatchObject(Array(2).fill({ reason: 'DEADLINE_EXCEEDED' }));
    await cancelled.promise;
    held.open();
  });

  it('a client that is closed gives up what it has not sent, and takes nothing more', async () => {
    const { address, asked } = await serve();
    const client = createStepClient(services.inventory, address);
    const queued = client.GetStock({ sku: 'queued' }, wait);
    client.close();
    expect(await queued).toMatchObject({ reason: 'CANCELLED' });
    expect(await client.GetStock({ sku: 'late' }, wait)).toMatchObject({ reason: 'CANCELLED' });
    expect(asked).toEqual([]);
  });

  it('two replicas both get work', async () => {
    const [left, right] = [await serve(), await serve()];
    const client = stepClient(`ipv4:${left.address},${right.address}`);
    await vi.waitFor(
      async () => {
        await Promise.all(['a', 'b'].map((sku) => client.GetStock({ sku }, wait)));
        expect([left.asked.length > 0, right.asked.length > 0]).toEqual([true, true]);
      },
      { timeout: 10_000 },
    );
  }, 15_000);

  it('a server that stops answers what it has read and ends its streams, long before its grace is over', async () => {
    const held = gate();
    const { address, server, asked } = await serve(async (sku) => {
      await held.opened;
      return { sku };
    });
    const client = stepClient(address);
    const running = client.GetStock({ sku: 'running' }, wait);
    await vi.waitFor(() => expect(asked).toEqual(['running']));
    const stopped = server.stop(60_000);
    held.open();
    expect(await running).toMatchObject(okFor('running'));
    await stopped;
  });
});

describe('the server of a stream of steps', () => {
  it('refuses a message of too many calls, and runs none of them', async () => {
    const { address, asked } = await serve();
    const { stream, ended } = rawStream(address);
    stream.on('data', () => undefined);
    stream.write({ calls: Array.from({ length: MAX_CALLS_PER_MESSAGE + 1 }, (_, id) => stepCall(id, 'a')) });
    const error = await ended;
    const detail = decodeStatus(error?.metadata.get('grpc-status-details-bin')[0] as Buffer);
    expect(detail).toMatchObject({ reason: 'INVALID_REQUEST', message: expect.stringContaining('at most 1000') });
    expect(asked).toEqual([]);
  });

  it('answers a call that can’t be read, or of a method that it has not, beside its neighbours', async () => {
    const { address } = await serve();
    const { stream } = rawStream(address);
    const replies = new Map<number, string>();
    stream.on('data', (response: RunStepsResponse) => {
      for (const { id, failure } of response.replies) replies.set(id, failure?.message ?? 'ok');
    });
    const damaged = { ...stepCall(2, ''), request: Buffer.from([0xff, 0xff, 0xff]) };
    stream.write({ calls: [stepCall(1, 'a'), damaged, { ...stepCall(3, ''), method: 'WatchEverything' }] });
    await vi.waitFor(() => expect(replies.size).toBe(3));
    expect(replies.get(1)).toBe('ok');
    expect(replies.get(2)).toContain('calls.request: send the request message of GetStock');
    expect(replies.get(3)).toContain('no method WatchEverything');
    stream.cancel();
  });

  it('survives bytes that are no message', async () => {
    const { address } = await serve();
    const { stream, ended } = rawStream(address);
    stream.on('data', () => undefined);
    stream.write(Buffer.from([0xff, 0xff, 0xff]));
    expect(await ended).toBeDefined();
    expect(await stepClient(address).GetStock({ sku: 'a' }, wait)).toMatchObject(okFor('a'));
  });

  it('reads no more than it may hold from a caller that does not read, and goes on when it does', async () => {
    // Far beyond what HTTP/2 holds in between, so that answers would pile up here.
    const large = 'x'.repeat(4_000);
    const { address, asked } = await serve(async (sku) => ({ sku: large + sku }));
    const { stream } = rawStream(address);
    const total = 20_000;
    const answered = new Set<number>();
    stream.on('data', ({ replies }: RunStepsResponse) => {
      for (const { id } of replies) answered.add(id);
    });
    // It reads one message, as only a stream that has begun to be read is held back, and no more.
    stream.once('data', () => stream.pause());
    for (let first = 0; first < total; first += 200) {
      stream.write({ calls: Array.from({ length: 200 }, (_, at) => stepCall(first + at, `${first + at}`)) });
    }
    let before = -1;
    await vi.waitFor(
      () => {
        const now = asked.length;
        const isAtRest = now > 0 && now === before;
        before = now;
        expect(isAtRest).toBe(true);
      },
      { timeout: 15_000, interval: 300 },
    );
    expect(asked.length).toBeLessThan(total / 2);
    stream.resume();
    await vi.waitFor(() => expect(answered.size).toBe(total), { timeout: 20_000 });
    stream.cancel();
  }, 60_000);

  it('splits answers that are too large for one message', async () => {
    const allHere = gate();
    const large = 'x'.repeat(10_000);
    const { address, asked } = await serve(async (sku) => {
      await allHere.opened;
      return { sku: large + sku };
    });
    const { stream } = rawStream(address);
    const sizes: number[] = [];
    stream.on('data', ({ replies }: RunStepsResponse) => sizes.push(replies.length));
    for (const half of [0, 500]) {
      stream.write({ calls: Array.from({ length: 500 }, (_, at) => stepCall(half + at, `${at}`)) });
    }
    await vi.waitFor(() => expect(asked).toHaveLength(1_000), { timeout: 10_000 });
    allHere.open();
    await vi.waitFor(() => expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000), { timeout: 10_000 });
    // 10 kB each: 26 come to a quarter of a MiB. All in one would be more than a caller takes.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(26);
    stream.cancel();
  });
});

/** A line on which bytes stop when the test says so, as when a peer is frozen or unplugged. */
async function line(to: string): Promise<{ address: string; freeze(): void }> {
  const sockets: Socket[] = [];
  const server: LineServer = createServer((from) => {
    const [host, port] = to.split(':');
    const other = dial(Number(port), host);
    sockets.push(from, other);
    for (const socket of [from, other]) socket.on('error', () => undefined);
    from.pipe(other);
    other.pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}

describe('a peer that has gone silent', () => {
  it('S4: leaves every call unknown when its time is up, and no call waits longer', async () => {
    const { address } = await serve();
    const between = await line(address);
    const client = stepClient(between.address);
    expect(await client.GetStock({ sku: 'a' }, wait)).toMatchObject(okFor('a'));
    between.freeze();
    const startedAtMs = performance.now();
    const all = Array.from({ length: 500 }, (_, at) => client.GetStock({ sku: `${at}` }, { ...wait, timeoutMs: 300 }));
    expect(await Promise.all(all)).toMatchObject(Array(500).fill({ reason: 'DEADLINE_EXCEEDED' }));
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});

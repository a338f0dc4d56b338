import { credentials, Client as RawClient, type ServiceError } from '@grpc/grpc-js';
import { createLog } from '@holdfast/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { services } from './protos.ts';
import { type RunningServer, service, startServer } from './server.ts';
import type { ServerCall } from './server-call.ts';
import { type Answer, errorOf } from './status.ts';
import { decodeStatus } from './status-details.ts';

type Watched = Answer<{ order: { id: string } }>;
let server: RunningServer;
let raw: RawClient;
let watch: (call: ServerCall) => AsyncIterable<Watched>;
beforeAll(async () => {
  const unused = () => Promise.reject(new Error('not part of this test'));
  const bound = service(services.orders, {
    PlaceOrder: unused,
    GetOrder: unused,
    CancelOrder: unused,
    RefundOrder: unused,
    GetRefund: unused,
    ListRefunds: unused,
    WatchOrder: (_request, call) => watch(call),
  });
  const log = createLog('test', 'silent');
  server = await startServer({ host: '127.0.0.1', port: 0, services: [bound], log, translate: () => undefined });
  raw = new RawClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
});
afterAll(async () => {
  raw.close();
  await server.stop(1_000);
});

const order = (id: string): Watched => ({ kind: 'completed', message: { order: { id } } });

function open() {
  const { path, requestSerialize, responseDeserialize } = services.orders.WatchOrder;
  return raw.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { id: 'o' });
}

/** Everything that came, and the reason it ended for. */
async function received(): Promise<{ ids: (string | undefined)[]; reason: string | undefined; text: string }> {
  const ids: (string | undefined)[] = [];
  try {
    for await (const message of open()) ids.push(message.order?.id);
    return { ids, reason: undefined, text: '' };
  } catch (error) {
    const { metadata, details } = error as ServiceError;
    const bytes = metadata.get('grpc-status-details-bin')[0] as Buffer;
    return { ids, reason: decodeStatus(bytes)?.reason, text: details };
  }
}

describe('a streamed answer', () => {
  it('brings every message in order, and ends', async () => {
    watch = async function* () {
      for (const id of ['a', 'b', 'c']) yield order(id);
    };
    expect(await received()).toMatchObject({ ids: ['a', 'b', 'c'], reason: undefined });
  });

  it('ends with the error that its handler gives, after what came before it', async () => {
    watch = async function* () {
      yield order('a');
      yield errorOf('NOT_FOUND', 'this order is gone');
      yield order('never sent');
    };
    expect(await received()).toEqual({ ids: ['a'], reason: 'NOT_FOUND', text: 'this order is gone' });
  });

  it('whose handler throws is INTERNAL, and reveals nothing of what was thrown', async () => {
    watch = async function* () {
      yield order('a');
      throw new Error('a secret');
    };
    const { ids, reason, text } = await received();
    expect({ ids, reason }).toEqual({ ids: ['a'], reason: 'INTERNAL' });
    expect(text).not.toContain('secret');
  });

  it('aborts its signal when the caller hangs up', async () => {
    const heard = Promise.withResolvers<void>();
    watch = async function* (call) {
      yield order('a');
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve, { once: true }));
      heard.resolve();
    };
    const stream = open();
    stream.on('error', () => undefined);
    stream.once('data', () => stream.cancel());
    await heard.promise;
  });
});

describe('a streamed answer to a slow reader', () => {
  it('is held back at its source: what the reader does not take is not made', async () => {
    const large = 'x'.repeat(16_000);
    const total = 2_000;
    let made = 0;
    watch = async function* () {
      for (; made < total; made++) yield order(large);
    };
    const stream = open();
    let read = 0;
    stream.on('data', () => {
      read += 1;
    });
    stream.once('data', () => stream.pause());
    let before = -1;
    await vi.waitFor(
      () => {
        const isAtRest = made > 0 && made === before;
        before = made;
        expect(isAtRest).toBe(true);
      },
      { timeout: 5_000, interval: 100 },
    );
    expect(made).toBeLessThan(total / 2);
    stream.resume();
    await vi.waitFor(() => expect(read).toBe(total), { timeout: 10_000 });
  }, 20_000);
});

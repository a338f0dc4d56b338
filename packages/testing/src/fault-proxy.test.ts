import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

/** Sends back what it gets, and keeps it. */
let echo: Server;
let received: Buffer;
let served: Socket[];
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  received = Buffer.alloc(0);
  served = [];
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    served.push(socket);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      socket.write(data);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as { port: number };
  proxy = await startFaultProxy({ target: () => ({ host: '127.0.0.1', port }), random: () => 0.5 });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function dial(): Promise<Socket> {
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  clients.push(client);
  client.on('error', () => {});
  await once(client, 'connect');
  return client;
}

async function heard(client: Socket, bytes: number): Promise<Buffer> {
  let all = Buffer.alloc(0);
  for await (const data of client.iterator({ destroyOnReturn: false })) {
    all = Buffer.concat([all, data]);
    if (all.length >= bytes) break;
  }
  return all;
}

/** Resolves with the error's code, or `closed` without one. */
function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('close', () => resolve('closed'));
  });
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 5 }).toBe(true);
}

describe('the fault proxy', { timeout: 30_000 }, () => {
  it('delivers, once the network has healed, what it still held up, and in order', async () => {
    const client = await dial();
    proxy.set({ bytesPerSecond: 100, latencyMs: 1_000_000 });
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
    client.write(sent);
    // Its first byte would arrive in a quarter of an hour, its last in an hour.
    await until(() => proxy.heldUp > 0);
    expect(received).toHaveLength(0);
    proxy.set({});
    expect((await heard(client, sent.length)).equals(sent)).toBe(true);
  });

  it('hands on both ways, byte for byte, and ends when both sides have', async () => {
    const client = await dial();
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
    client.write(sent);
    expect((await heard(client, sent.length)).equals(sent)).toBe(true);
    client.end();
    client.resume();
    await until(() => proxy.connections === 0);
  });

  it('latency and jitter: keeps every byte back for as long, and in order', async () => {
    proxy.set({ latencyMs: 60, jitterMs: 40 });
    const client = await dial();
    const startedAt = performance.now();
    client.write('one ');
    client.write('two');
    expect((await heard(client, 7)).toString()).toBe('one two');
    // Twice 60 + 0.5 * 40; timers may be a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThan(155);
  });

  it('bandwidth: takes as long as the bytes need', async () => {
    proxy.set({ bytesPerSecond: 100_000 });
    const client = await dial();
    const startedAt = performance.now();
    client.write(Buffer.alloc(20_000));
    await heard(client, 20_000);
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });

  it('refuse: resets whoever comes; healed, it lets the next one through', async () => {
    proxy.set({ refuse: true });
    expect(await ending(connect({ port: proxy.port, host: '127.0.0.1' }))).toBe('ECONNRESET');
    expect(served).toHaveLength(0);
    proxy.set({});
    const client = await dial();
    client.write('hello');
    expect((await heard(client, 5)).toString()).toBe('hello');
  });

  it('reset: breaks open connections on both sides', async () => {
    const client = await dial();
    client.write('x');
    await heard(client, 1);
    const [mine, theirs] = [ending(client), ending(served[0] as Socket)];
    expect(proxy.reset()).toBe(1);
    expect(await Promise.all([mine, theirs])).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  it('black hole: nothing arrives and nobody is told; healed, the holed connection is reset', async () => {
    const client = await dial();
    client.write('before');
    await heard(client, 6);
    proxy.set({ blackHole: true });
    const end = ending(client);
    client.write('lost');
    const fresh = await dial();
    fresh.write('lost too');
    await until(() => fresh.bytesWritten === 8);
    const told = await Promise.race([end, new Promise((resolve) => setTimeout(() => resolve('nothing'), 150))]);
    expect(told).toBe('nothing');
    expect(received.toString()).toBe('before');
    proxy.set({});
    expect(await end).toBe('ECONNRESET');
  });

  it('half-open: what is asked arrives and is done, and the answer is lost', async () => {
    proxy.set({ loseReplies: true });
    const client = await dial();
    const answer = once(client, 'data').then(() => 'an answer');
    client.write('do it');
    await until(() => received.toString() === 'do it');
    await until(() => (served[0]?.bytesWritten ?? 0) === 5);
    const heardOf = await Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('nothing'), 150))]);
    expect(heardOf).toBe('nothing');
  });

  it('cut: lets so many bytes through and breaks in the middle of a message', async () => {
    proxy.set({ cutAfterBytes: 10 });
    const client = await dial();
    const end = ending(client);
    client.write('0123456');
    await until(() => received.length === 7);
    client.write('789abcdef');
    expect(await end).toBe('ECONNRESET');
    await until(() => received.length >= 10);
    expect(received.toString()).toBe('0123456789');
  });
});

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBareEdge } from '../../test/http-edge.ts';

const MAX_CONNECTIONS = 3;
const AUTHORIZED = 'Host: h\r\nAuthorization: Bearer secret\r\n';

let edge: Awaited<ReturnType<typeof createBareEdge>>;
let port: number;
beforeAll(async () => {
  edge = await createBareEdge({ maxConnections: MAX_CONNECTIONS });
  await edge.listen({ host: '127.0.0.1', port: 0 });
  port = (edge.server.address() as AddressInfo).port;
});
afterAll(() => edge?.close());

/** What comes back until the connection ends. `more` is sent once something has come back. */
async function answerTo(bytes: string, more?: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  if (more !== undefined) socket.once('data', () => socket.write(more));
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  // One that is closed as it comes may be reset while it writes.
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

function problemIn(answer: string): { status: number; code: string; retryable: boolean } {
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  expect(head).toContain('content-type: application/problem+json');
  expect(head).toContain('cache-control: no-store');
  const problem = JSON.parse(body);
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${problem.status} `));
  return problem;
}

describe('what is no request is answered with a problem, and its connection ends:', () => {
  it.each([
    ['noise', '\u0001\u0002\r\n\r\n', 400, 'malformed-request'],
    ['another version', 'GET /v1/config HTTP/9.9\r\nHost: h\r\n\r\n', 400, 'malformed-request'],
    [
      'two lengths',
      `POST /v1/orders HTTP/1.1\r\n${AUTHORIZED}Content-Length: 2\r\nContent-Length: 3\r\n\r\n`,
      400,
      'malformed-request',
    ],
    ['no host', 'GET /v1/config HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['a long line', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: h\r\n\r\n`, 431, 'headers-too-large'],
    ['a long header', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    [
      'a strange expectation',
      `POST /v1/orders HTTP/1.1\r\n${AUTHORIZED}Expect: a-miracle\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      400,
      'idempotency-key-missing',
    ],
    [
      'a compressed body',
      `POST /v1/orders HTTP/1.1\r\n${AUTHORIZED}Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      415,
      'unsupported-media-type',
    ],
  ])('%s', async (_, bytes, status, code) => {
    expect(problemIn(await answerTo(bytes))).toMatchObject({ status, code, retryable: false });
  });

  it.each([
    ['headers', 'GET /v1/config HTTP/1.1\r\nHost: h\r\n'],
    [
      'a body',
      `POST /v1/stock/a/adjust HTTP/1.1\r\n${AUTHORIZED}Idempotency-Key: ${'k'.repeat(16)}\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{`,
    ],
  ])('%s that never end', async (_, bytes) => {
    const { headersTimeout, requestTimeout } = edge.server;
    Object.assign(edge.server, { headersTimeout: 200, requestTimeout: 400 });
    try {
      expect(problemIn(await answerTo(bytes))).toMatchObject({ status: 408, code: 'request-timeout', retryable: true });
    } finally {
      Object.assign(edge.server, { headersTimeout, requestTimeout });
    }
  });
});

describe('a body that is too large is refused while it comes, and the connection serves the next request:', () => {
  const next = 'GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const head = `POST /v1/orders HTTP/1.1\r\n${AUTHORIZED}Idempotency-Key: ${'k'.repeat(16)}\r\nContent-Type: application/json\r\n`;
  const part = 'x'.repeat(2_000_000);
  const chunk = `${part.length.toString(16)}\r\n${part}\r\n`;
  // A server that closes after its answer resets a client that still writes, and the answer is lost.
  it.each([
    ['by its length', `${head}Content-Length: ${2 * part.length}\r\n\r\n${part}`, part],
    ['by what has come', `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`, `${chunk}0\r\n\r\n`],
  ])('%s', async (_, begun, rest) => {
    const answers = await answerTo(begun, rest + next);
    const [first = '', second] = answers.split(/(?=HTTP\/1\.1 200 OK)/);
    expect(problemIn(first)).toMatchObject({ status: 400, code: 'body-too-large', retryable: false });
    expect(second).toMatch(/alive\n$/);
  });
});

it('a probe that speaks HTTP/1.0 names no host, and is answered', async () => {
  expect(await answerTo('GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

describe('connections', () => {
  it('beyond the bound are closed as they come, and those that are open go on', async () => {
    const open = Array.from({ length: MAX_CONNECTIONS }, () => connect({ host: '127.0.0.1', port }));
    await Promise.all(open.map((socket) => once(socket, 'connect')));
    expect(await answerTo('GET /livez HTTP/1.1\r\nHost: h\r\n\r\n')).toBe('');
    const [first] = open;
    first?.write('GET /livez HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(String(await once(first as never, 'data'))).toContain('200 OK');
    for (const socket of open) socket.destroy();
  });
});

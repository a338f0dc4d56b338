import fc, { type Arbitrary } from 'fast-check';
import { hostileText } from './schema-values.ts';

/** Bytes for a connection of their own: what no HTTP client sends. */
export interface WireRequest {
  bytes: Buffer;
  /** Whether they end a request: else the server waits for the rest, and must not wait for ever. */
  isWhole: boolean;
}

const LARGE = 20_000;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND', 'PRI', 'get', 'GE T', ''];
const TARGETS = [
  '/v1/orders',
  '/v1/orders/%zz',
  '/v1/orders/%ff',
  '/v1/orders/%00',
  '//v1//orders',
  '/v1/orders/../sagas',
  '/v1/orders?%zz=%',
  '*',
  'http://elsewhere.example/v1/orders',
  '',
  `/${'x'.repeat(3_000)}`,
  `/v1/orders/${'%41'.repeat(600)}`,
  `/${'x'.repeat(LARGE)}`,
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/9', 'XTTP/1.1', ''];

const FRAMINGS = [
  '',
  'Content-Length: 0\r\n',
  'Content-Length: 2\r\nContent-Length: 3\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
];
const BODIES = [
  '',
  '{}',
  '2\r\n{}\r\n0\r\n\r\n',
  'zz\r\n{}\r\n',
  'ffffffffffffffff\r\n{}',
  '2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n',
];

/** @param apiKey so that some get further than the door */
export function wireRequests(apiKey: string): Arbitrary<WireRequest> {
  const header = fc.oneof(
    fc.constantFrom(
      `Authorization: Bearer ${apiKey}\r\n`,
      'Idempotency-Key: wire-0123456789abcdef\r\n',
      'Idempotency-Key: wire-0123456789abcdef\r\nIdempotency-Key: wire-0123456789abcdeg\r\n',
      'Content-Type: application/json\r\n',
      'Expect: 100-continue\r\n',
      'Expect: a-miracle\r\n',
      'Upgrade: websocket\r\nConnection: Upgrade\r\n',
      'Connection: close\r\n',
      'Host: again.example\r\n',
      'Host\r\n',
      ': no name\r\n',
      'X:\r\n folded\r\n',
      `X: ${'x'.repeat(LARGE)}\r\n`,
      'X: y\r\n'.repeat(3_000),
    ),
    hostileText.map((text) => `X-Text: ${text.slice(0, 200)}\r\n`),
  );
  const composed = fc
    .record({
      method: fc.oneof(
        { weight: 3, arbitrary: fc.constant('POST') },
        { weight: 2, arbitrary: fc.constantFrom(...METHODS) },
      ),
      target: fc.oneof(
        { weight: 2, arbitrary: fc.constant('/v1/orders') },
        { weight: 3, arbitrary: fc.constantFrom(...TARGETS) },
      ),
      version: fc.oneof(
        { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
        { weight: 1, arbitrary: fc.constantFrom(...VERSIONS) },
      ),
      host: fc.oneof(
        { weight: 6, arbitrary: fc.constant('Host: h\r\n') },
        { weight: 1, arbitrary: fc.constantFrom('', 'Host:\r\n', 'Host: a b\r\n') },
      ),
      headers: fc.array(header, { maxLength: 4 }),
      framing: fc.constantFrom(...FRAMINGS),
      body: fc.constantFrom(...BODIES),
    })
    .map(({ method, target, version, host, headers, framing, body }) => ({
      bytes: Buffer.from(`${method} ${target} ${version}\r\n${host}${headers.join('')}${framing}\r\n${body}`),
      isWhole: true,
    }));
  const cut = fc
    .tuple(composed, fc.nat(400))
    .map(([{ bytes }, at]) => ({ bytes: bytes.subarray(0, at), isWhole: false }));
  const noise = fc
    .uint8Array({ minLength: 1, maxLength: 600 })
    .map((bytes) => ({ bytes: Buffer.from(bytes), isWhole: false }));
  return fc.oneof({ weight: 6, arbitrary: composed }, { weight: 1, arbitrary: cut }, { weight: 1, arbitrary: noise });
}

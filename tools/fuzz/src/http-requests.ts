import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import { hostileText, hostileValue, type Known, type Schema, valuesOf } from './schema-values.ts';

/** As much of an OpenAPI document as requests are made of. */
export interface OpenApi {
  paths: Record<string, Record<string, OpenApiOperation>>;
}

interface OpenApiOperation {
  parameters?: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string }>;
}

export interface Operation extends OpenApiOperation {
  /** Such as `GET /v1/orders/{id}`. */
  name: string;
  method: string;
  path: string;
}

export interface HttpRequest {
  operation: Operation;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export function operationsIn({ paths }: OpenApi): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`;
      return { ...operation, name, method: method.toUpperCase(), path };
    }),
  );
}

const USUAL = 24;
const MEBIBYTE = 1_024 * 1_024;

/** Requests of every operation; most of them reach its handler. */
export function requestsOf(operations: readonly Operation[], known: Known, apiKey: string): Arbitrary<HttpRequest> {
  return fc.oneof(...operations.map((operation) => requests(operation, known, apiKey)));
}

function requests(operation: Operation, known: Known, apiKey: string): Arbitrary<HttpRequest> {
  const parameters = operation.parameters ?? [];
  const inPlace = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const values = (place: string, all: boolean) =>
    fc.record(Object.fromEntries(inPlace(place).map(({ name, schema }) => [name, valuesOf(schema, known, name)])), {
      requiredKeys: all ? inPlace(place).map(({ name }) => name) : [],
    });
  const schema = operation.requestBody?.content['application/json']?.schema;
  return fc
    .record({
      method: usually(
        operation.method,
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'),
      ),
      path: values('path', true),
      query: fc.oneof({ weight: USUAL, arbitrary: values('query', false) }, { weight: 1, arbitrary: strangeQuery }),
      named: fc.oneof(
        { weight: USUAL, arbitrary: values('header', true) },
        { weight: 2, arbitrary: values('header', false) },
      ),
      key: fc.oneof(
        { weight: USUAL, arbitrary: fc.stringMatching(/^fuzz-[a-z0-9]{16}$/) },
        { weight: 1, arbitrary: strangeKey },
      ),
      body: schema === undefined ? strangeBodyOrNone : bodies(schema, known),
      more: strangeHeaders,
      authorization: usually(
        `Bearer ${apiKey}`,
        fc.oneof(fc.constantFrom('', 'Bearer', 'Basic YTpi', 'Bearer x'), hostileText),
      ),
    })
    .map(({ method, path, query, named, key, body, more, authorization }) => {
      const { 'idempotency-key': wanted, ...rest } = named as Record<string, unknown>;
      const headers = {
        authorization,
        // Node's client frames the body of a GET only if it is told its length.
        ...(body.bytes !== undefined && {
          'content-type': 'application/json',
          'content-length': String(body.bytes.length),
        }),
        ...rest,
        ...(wanted !== undefined && { 'idempotency-key': key }),
        ...body.headers,
        ...more,
      };
      const url = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encoded((path as Record<string, unknown>)[name]),
      );
      return { operation, method, url: url + queryOf(query), headers: sendable(headers), body: body.bytes };
    });
}

const usually = (value: string, otherwise: Arbitrary<string>) =>
  fc.oneof({ weight: USUAL * 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: otherwise });

const strangeQuery = fc.dictionary(hostileText, hostileText, { maxKeys: 3 });
const strangeKey = fc.oneof(hostileText, fc.constantFrom('"unbalanced-quotes-0', 'a,b', 'x'.repeat(129)));

const instant = fc.date({ noInvalidDate: true }).map((at) => at.toISOString());
const strangeInstant = fc.constantFrom(
  '2026-02-30T00:00:00.000Z',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:60.000Z',
  '2026-01-01',
);
/** Cursors in the form of those that the API gives out, with other contents. */
export const cursors: Arbitrary<string> = fc
  .tuple(fc.oneof(instant, strangeInstant), fc.oneof(fc.uuid(), hostileText))
  .map(([at, id]) => Buffer.from(`${at} ${id}`).toString('base64url'));

const strangeHeaders = fc.oneof(
  { weight: USUAL, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      hostileText.map((value) => ({ prefer: value })),
      fc.constantFrom(
        { prefer: 'wait=1' },
        { prefer: 'wait=-1' },
        { prefer: `wait=${'9'.repeat(400)}` },
        { accept: 'text/html' },
      ),
      hostileText.map((value) => ({ 'if-match': value })),
      hostileText.map((value) => ({ traceparent: value })),
      hostileText.map((value) => ({ cookie: value })),
      fc.constantFrom('gzip', 'br', 'identity', 'zstd', 'x').map((value) => ({ 'content-encoding': value })),
      fc.constant(Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`x-${at}`, 'y']))),
    ),
  },
);

interface Body {
  bytes: Buffer | undefined;
  headers: Record<string, string>;
}

function bodies(schema: Schema, known: Known): Arbitrary<Body> {
  const json = valuesOf(schema, known).map((value) => plain(Buffer.from(JSON.stringify(value))));
  return fc.oneof(
    { weight: USUAL * 2, arbitrary: json },
    { weight: 1, arbitrary: json.chain(spoiled) },
    { weight: 1, arbitrary: strangeBody },
  );
}

const plain = (bytes: Buffer, headers: Record<string, string> = {}): Body => ({ bytes, headers });

/** The same body in another wrapping, or damaged. */
function spoiled({ bytes = Buffer.alloc(0) }: Body): Arbitrary<Body> {
  const text = bytes.toString();
  const type = (value: string) => plain(bytes, { 'content-type': value });
  return fc.oneof(
    fc.nat(bytes.length).map((at) => plain(bytes.subarray(0, at))),
    fc
      .tuple(fc.nat(bytes.length), fc.uint8Array({ maxLength: 4 }))
      .map(([at, added]) => plain(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]))),
    fc.constantFrom(
      plain(Buffer.from(`\ufeff${text}`)),
      plain(Buffer.from(text, 'utf16le')),
      plain(Buffer.from(text.replace('{', '{"customerId":"ann",'))),
      plain(Buffer.from(text.replace(/\d+/, '1e999'))),
      plain(Buffer.from(text.replace(/\d+/, '9007199254740993'))),
      plain(gzipSync(bytes), { 'content-encoding': 'gzip' }),
      plain(gzipSync(Buffer.alloc(MEBIBYTE)), { 'content-encoding': 'gzip' }),
      plain(bytes, { 'content-encoding': 'identity' }),
      ...[
        'application/json; charset=utf-16',
        'text/plain',
        'application/xml',
        'multipart/form-data',
        '',
        ';',
        'application/json;',
      ].map(type),
    ),
  );
}

const strangeBody: Arbitrary<Body> = fc.oneof(
  hostileValue.map((value) => plain(Buffer.from(JSON.stringify(value)))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => plain(Buffer.from(bytes))),
  fc.constantFrom(10, 100, 1_000, 30_000).map((depth) => plain(Buffer.from('['.repeat(depth) + ']'.repeat(depth)))),
  fc.constantFrom(10, 100, 5_000).map((depth) => plain(Buffer.from(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`))),
  fc.constantFrom(plain(Buffer.alloc(0)), plain(Buffer.alloc(70_000, 0x20)), plain(Buffer.alloc(MEBIBYTE, 0x61))),
);
const strangeBodyOrNone: Arbitrary<Body> = fc.oneof(
  { weight: USUAL, arbitrary: fc.constant<Body>({ bytes: undefined, headers: {} }) },
  { weight: 1, arbitrary: strangeBody },
);

function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(text.toWellFormed());
}

function queryOf(query: object): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Without what Node's client refuses to send: those bytes are the business of wire-requests.ts. */
function sendable(headers: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return [name, text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 4_000)];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

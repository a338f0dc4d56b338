import { describe, expect, it } from 'vitest';
import {
  decodeAnswer,
  differingFaults,
  encodeAnswer,
  keyHeaders,
  keyIn,
  openApi,
  preferredWaitMs,
  problemAnswer,
  problemFor,
  problems,
  replayedHeaders,
  storedHeaders,
} from './index.ts';

describe('Prefer: wait (RFC 7240)', () => {
  it.each([
    [undefined, 0],
    ['wait=3', 3_000],
    ['respond-async, WAIT = "2" ; strict', 2_000],
    [['handling=lenient', 'wait=1'], 1_000],
    ['wait=999999', 5_000],
    ['wait=-1', 0],
    ['wait=1.5', 0],
    ['await=3', 0],
  ])('H7: %j is a wait of %i ms, with 5 s as the limit', (header, ms) => {
    expect(preferredWaitMs(header as string | string[] | undefined, 5_000)).toBe(ms);
  });
});

describe('the headers of a key', () => {
  const KEY = 'k'.repeat(16);
  it.each([
    ['none', {}, 'missing'],
    ['an empty one', { 'idempotency-key': '' }, 'missing'],
    ['two of them, joined', { 'idempotency-key': `${KEY}, ${KEY}` }, 'invalid'],
    ['unbalanced quotes', { 'idempotency-key': `"${KEY}` }, 'invalid'],
    ['a quoted one', { 'idempotency-key': `"${KEY}"` }, 'key'],
  ])('H1, H2: %s', (_, headers, kind) => {
    expect(keyIn(headers).kind).toBe(kind);
  });

  it('go with every answer', () => {
    expect(keyHeaders({ key: KEY, replayed: true, expiresAt: '2026-03-14T09:26:53.589Z' })).toEqual({
      'idempotency-key': KEY,
      'idempotent-replayed': 'true',
      'idempotency-expires': '2026-03-14T09:26:53.589Z',
    });
  });
});

describe('a problem', () => {
  it('is application/problem+json with code and retryable, and Retry-After where a retry helps', () => {
    const { status, headers, body } = problemAnswer(problemFor('REQUEST_IN_PROGRESS'));
    expect([status, headers]).toEqual([409, { 'content-type': 'application/problem+json', 'retry-after': '1' }]);
    expect(JSON.parse(body)).toEqual({
      type: 'urn:holdfast:problem:request-in-progress',
      title: problems['request-in-progress'].title,
      status: 409,
      detail: problems['request-in-progress'].detail,
      code: 'request-in-progress',
      retryable: true,
    });
    expect(problemAnswer(problemFor('SEALED')).headers).toEqual({ 'content-type': 'application/problem+json' });
  });

  it('H6: of a reused key names the places that differ', () => {
    const errors = differingFaults(['/amount', '', 'path.id']);
    const detail = 'Differs from the first request.';
    expect(errors).toEqual([
      { pointer: '/amount', detail },
      { pointer: '', detail },
      { parameter: 'path.id', detail },
    ]);
    expect(JSON.parse(problemAnswer(problemFor('IDEMPOTENCY_KEY_REUSED', { errors })).body)).toMatchObject({ errors });
    expect(differingFaults([])).toHaveLength(1);
  });

  it('has a sentence for every code', () => {
    for (const { detail } of Object.values(problems)) expect(detail).toMatch(/^[A-Z].*\.$/);
  });
});

describe('a stored answer', () => {
  it('K2: comes back as it was, the body byte for byte', () => {
    const body = Buffer.from('{"a":\n"é"}');
    const answer = { status: 201, headers: { location: '/x' }, expiresAt: '2026-03-14T09:26:53.589Z', body };
    expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
    expect(() => decodeAnswer(Buffer.from('{"other":1}\n'))).toThrow('not an HTTP answer');
  });

  it('keeps the headers of the list, and no list may name one that belongs to its moment or its caller', () => {
    const headers = { ETag: '"1"', 'X-Trace': 't', Location: '/x' };
    expect(storedHeaders(replayedHeaders(), headers)).toEqual({ etag: '"1"', location: '/x' });
    expect(storedHeaders(replayedHeaders(['X-Trace']), headers)).toEqual({ 'x-trace': 't' });
    for (const name of ['Set-Cookie', 'date']) expect(() => replayedHeaders([name])).toThrow(RangeError);
  });
});

describe('the OpenAPI fragment', () => {
  it('names the headers that are read and sent, and every problem under its status', () => {
    expect(openApi.parameters.map(({ name }) => name)).toEqual(['Idempotency-Key', 'Prefer']);
    const sent = Object.keys(keyHeaders({ key: 'k', replayed: false, expiresAt: '' }));
    expect(Object.keys(openApi.headers).map((name) => name.toLowerCase())).toEqual(sent);
    for (const [code, { status, title }] of Object.entries(problems)) {
      expect(openApi.responses[status]?.description).toContain(title);
      expect(JSON.stringify(openApi.responses[status])).toContain(code);
    }
    const [key] = openApi.parameters;
    expect(
      new RegExp(key?.schema && 'pattern' in key.schema ? String(key.schema.pattern) : 'none').test('too-short'),
    ).toBe(false);
  });
});

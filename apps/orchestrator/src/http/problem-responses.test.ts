import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBareEdge, descriptionOf } from '../../test/http-edge.ts';
import { type ProblemCode, problems } from './problem.ts';

interface Operation {
  route: string;
  method: string;
  /** The codes that the route's responses name, by status. */
  declared: Map<number, string[]>;
}

/** The library answers with these in a keyed route of its own plugin; the API has no answer that needs them. */
const OF_THE_PLUGIN: ProblemCode[] = ['operation-undone', 'idempotency-answer-expired'];

let edge: Awaited<ReturnType<typeof createBareEdge>>;
let operations: Operation[];
beforeAll(async () => {
  edge = await createBareEdge();
  operations = operationsIn(await descriptionOf(edge, 'secret'));
});
afterAll(() => edge?.close());

function operationsIn(api: {
  paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
}): Operation[] {
  return Object.entries(api.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => {
      const errors = Object.entries(responses).filter(([status]) => Number(status) >= 400);
      const codesIn = (text: string) => [...text.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code);
      return {
        route,
        method,
        declared: new Map(errors.map(([s, { description }]) => [Number(s), codesIn(description)])),
      };
    }),
  );
}

describe('every route says what it answers when it refuses', () => {
  it('has its own list, and every code on it has the status of the catalogue', () => {
    expect(operations.length).toBeGreaterThan(15);
    for (const { route, method, declared } of operations) {
      expect(declared.size, `${method} ${route} declares no problems`).toBeGreaterThan(0);
      for (const [status, codes] of declared) {
        expect(codes, `${method} ${route} ${status}`).not.toEqual([]);
        for (const code of codes) expect([code, problems[code as ProblemCode]?.status]).toEqual([code, status]);
      }
    }
  });

  it('and every problem of the catalogue is on the list of a route', () => {
    const listed = new Set(operations.flatMap(({ declared }) => [...declared.values()].flat()));
    const unlisted = (Object.keys(problems) as ProblemCode[]).filter((code) => !listed.has(code));
    expect(unlisted).toEqual(OF_THE_PLUGIN);
  });

  it('H21: a key of the greatest length reaches its route, percent-encoded too', async () => {
    const headers = { authorization: 'Bearer secret' };
    for (const key of ['x'.repeat(128), '%3A'.repeat(128)]) {
      // Nothing stands behind this edge: what passes its checks ends as an internal error.
      expect((await edge.inject({ url: `/v1/idempotency-keys/${key}`, headers })).json().code).toBe('internal');
    }
  });

  it('and is refused with nothing else', async () => {
    const authorization = 'Bearer secret';
    const json = { authorization, 'content-type': 'application/json' };
    const keyed = { ...json, 'idempotency-key': 'k'.repeat(16) };
    const wrong: { headers: Record<string, string>; payload?: string; id?: string; query?: string }[] = [
      { headers: {} },
      ...['x'.repeat(129), 'x'.repeat(600), '%zz'].map((id) => ({ headers: { authorization }, id })),
      { headers: { authorization }, query: '?cursor=none&limit=0' },
      { headers: { ...json, 'idempotency-key': 'short' }, payload: '{}' },
      { headers: { ...keyed, 'content-type': 'text/plain' }, payload: 'x' },
      { headers: keyed, payload: '{' },
      { headers: keyed, payload: '{"a":1,"a":2}' },
      { headers: keyed, payload: `"${'x'.repeat(65 * 1_024)}"` },
      { headers: json, payload: '{}' },
    ];
    const seen = new Set<string>();
    for (const { route, method, declared } of operations) {
      for (const { headers, payload, id = 'x', query = '' } of wrong) {
        if (payload !== undefined && method === 'get') continue;
        const url = route.replace(/\{\w+\}/, id) + query;
        const reply = await edge.inject({
          method: method.toUpperCase() as 'GET',
          url,
          headers,
          ...(payload && { payload }),
        });
        if (reply.statusCode < 400) continue;
        const { code, status } = reply.json();
        expect(declared.get(status) ?? [], `${method} ${route}: ${code}`).toContain(code);
        seen.add(code);
      }
    }
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'unauthorized',
        'invalid-request',
        'malformed-json',
        'body-too-large',
        'unsupported-media-type',
      ]),
    );
  });
});

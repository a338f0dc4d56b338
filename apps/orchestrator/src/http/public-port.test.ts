import { SCOPES } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBareEdge, descriptionOf } from '../../test/http-edge.ts';
import { createAuthenticate } from '../auth.ts';

const keyOf = (scope: string) => `a-key-with-${scope.replace(':', '-')}`;
let edge: Awaited<ReturnType<typeof createBareEdge>>;
beforeAll(async () => {
  const callers = SCOPES.map((scope) => [keyOf(scope), { tenantId: 'shop', scopes: new Set([scope]) }] as const);
  edge = await createBareEdge({ authenticate: createAuthenticate(new Map(callers)) });
});
afterAll(() => edge?.close());

const get = async (url: string, key?: string) =>
  await edge.inject({ url, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });

describe("the API's port", () => {
  it('T1: has no metrics, whatever the key: they are those of all tenants', async () => {
    expect((await get('/metrics')).statusCode).toBe(401);
    for (const scope of SCOPES) {
      const asked = await get('/metrics', keyOf(scope));
      expect([asked.statusCode, asked.json().code]).toEqual([404, 'not-found']);
    }
  });

  it('T1: describes itself to every key, and to nobody without one', async () => {
    for (const bare of [await get('/openapi.json'), await get('/openapi.json', 'unknown')])
      expect([bare.statusCode, bare.json().code]).toEqual([401, 'unauthorized']);
    for (const scope of SCOPES) {
      const described = await descriptionOf<{ openapi: string; paths: object }>(edge, keyOf(scope));
      expect(described.openapi).toBe('3.1.0');
      expect(described.paths).not.toHaveProperty('/openapi.json');
    }
  });

  it('T1: tells who balances callers how it is, without a key', async () => {
    expect((await get('/livez')).statusCode).toBe(200);
    expect((await get('/readyz')).statusCode).toBe(200);
  });

  it('T1: lets nothing on the way keep an answer of any route, refused or not', async () => {
    const { paths } = await descriptionOf<{ paths: Record<string, object> }>(edge, keyOf('admin'));
    const urls = Object.keys(paths).map((path) => path.replaceAll(/\{\w+\}/g, 'one-of-them-with-a-long-name'));
    expect(urls.length).toBeGreaterThan(10);
    for (const url of [...urls, '/openapi.json', '/nowhere', '/livez']) {
      for (const key of [undefined, keyOf('orders:read')]) {
        const { headers, statusCode } = await get(url, key);
        expect(headers['cache-control'], `${url}: ${statusCode}`).toBe('no-store');
      }
    }
  });
});

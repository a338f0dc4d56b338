import { SCOPES, type Scope } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBareEdge, descriptionOf } from '../../test/http-edge.ts';
import { createAuthenticate } from '../auth.ts';
import { SCOPES_OF } from './scopes.ts';

interface Operation {
  operationId: string;
  security: { apiKey: Scope[] }[];
}

const UNAVAILABLE = { kind: 'unavailable' } as const;
const keyOf = (scope: Scope) => `a-key-with-${scope.replace(':', '-')}`;
let edge: Awaited<ReturnType<typeof createBareEdge>>;
let operations: { method: string; path: string; operation: Operation }[];
beforeAll(async () => {
  const callers = SCOPES.map((scope) => [keyOf(scope), { tenantId: 'shop', scopes: new Set([scope]) }] as const);
  // What a scope opens fails behind the check, and never with 401 or 403.
  edge = await createBareEdge({ authenticate: createAuthenticate(new Map(callers)) });
  const { paths } = await descriptionOf<{ paths: Record<string, Record<string, Operation>> }>(edge, keyOf('metrics'));
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});
afterAll(() => edge?.close());

describe('every operation of /openapi.json', () => {
  it('T1: has its scopes in the table, and the table names no other', () => {
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(Object.keys(SCOPES_OF).sort());
  });

  it('T1: is opened by the scopes that it declares, and by no other', async () => {
    for (const { method, path, operation } of operations) {
      const declared = operation.security.flatMap(({ apiKey }) => apiKey);
      expect(declared).toEqual(SCOPES_OF[operation.operationId]);
      for (const scope of SCOPES) {
        const called = `${method} ${path} with ${scope}`;
        const url = path.replaceAll(/\{\w+\}/g, 'one-of-them-with-a-long-name') as `/${string}`;
        const headers = { authorization: `Bearer ${keyOf(scope)}` };
        const reply = await edge.inject({ method: method as 'GET', url, headers });
        if (declared.length === 0 || declared.includes(scope)) {
          expect(reply.statusCode, called).not.toBe(401);
          expect(reply.statusCode, called).not.toBe(403);
          continue;
        }
        const { code, detail } = reply.json();
        expect([reply.statusCode, code], called).toEqual([403, 'insufficient-scope']);
        for (const wanted of declared) expect(detail).toContain(`\`${wanted}\``);
        expect(reply.headers['www-authenticate']).toContain(
          `error="insufficient_scope", scope="${declared.join(' ')}"`,
        );
      }
    }
  });

  it('T1: says to a caller without a key, or with an unknown one, how to authenticate', async () => {
    for (const { method, path } of operations) {
      const url = path.replaceAll(/\{\w+\}/g, 'one-of-them-with-a-long-name') as `/${string}`;
      const bare = await edge.inject({ method: method as 'GET', url });
      expect([bare.statusCode, bare.headers['www-authenticate']]).toEqual([401, 'Bearer realm="holdfast"']);
      const headers = { authorization: 'Bearer unknown' };
      const unknown = await edge.inject({ method: method as 'GET', url, headers });
      expect(unknown.headers['www-authenticate']).toBe('Bearer realm="holdfast", error="invalid_token"');
    }
  });

  it('T3: says to a caller whose key can’t be judged now that it may ask again, and never that it is wrong', async () => {
    for (const verdict of [UNAVAILABLE, Promise.resolve(UNAVAILABLE)]) {
      const unsure = await createBareEdge({ authenticate: () => verdict });
      for (const { method, path } of operations) {
        const url = path.replaceAll(/\{\w+\}/g, 'one-of-them-with-a-long-name') as `/${string}`;
        const reply = await unsure.inject({ method: method as 'GET', url, headers: { authorization: 'Bearer x' } });
        const { code, retryable } = reply.json();
        expect([reply.statusCode, code, retryable], `${method} ${path}`).toEqual([503, 'store-unavailable', true]);
        expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
      }
      await unsure.close();
    }
  });
});

import { SCOPES, type Scope } from '@holdfast/contracts';
import { decodeStatus, InvalidRequest } from '@holdfast/rpc';
import { expect, it } from 'vitest';
import { createAuthenticate } from '../auth.ts';
import type { OrderDeps } from '../orders/accept-order.ts';
import { orderHandlers } from './order-service.ts';

const OPENED_BY: Record<string, Scope[]> = {
  PlaceOrder: ['orders:write'],
  GetOrder: ['orders:read'],
  CancelOrder: ['orders:write'],
  WatchOrder: ['orders:read'],
  RefundOrder: ['refunds:write'],
  GetRefund: ['orders:read', 'refunds:write'],
  ListRefunds: ['orders:read', 'refunds:write'],
};

const keyOf = (scope: Scope) => `a-key-with-${scope.replace(':', '-')}`;
const callers = SCOPES.map((scope) => [keyOf(scope), { tenantId: 'shop', scopes: new Set([scope]) }] as const);
// Without a database: what a scope opens fails behind the check.
const handlers = orderHandlers({} as OrderDeps, createAuthenticate(new Map(callers)));
const unsure = orderHandlers({} as OrderDeps, async () => ({ kind: 'unavailable' }));

type Method = (request: object, call: object) => Promise<unknown> | AsyncGenerator;

async function reasonOf(method: string, authorization: string, of = handlers): Promise<string | undefined> {
  const call = { authorization: () => authorization, signal: new AbortController().signal };
  try {
    const answered = (of as unknown as Record<string, Method>)[method]?.({ orderId: 'order-1', id: 'id-1' }, call);
    await (Symbol.asyncIterator in Object(answered) ? (answered as AsyncGenerator).next() : answered);
    return undefined;
  } catch (error) {
    return error instanceof InvalidRequest ? decodeStatus(error.rpcError.statusBytes)?.reason : undefined;
  }
}

it('T1: every method over gRPC is opened by its scopes, and by no other', async () => {
  expect(Object.keys(handlers).sort()).toEqual(Object.keys(OPENED_BY).sort());
  for (const [method, scopes] of Object.entries(OPENED_BY)) {
    for (const scope of SCOPES) {
      const expected = scopes.includes(scope) ? undefined : 'INSUFFICIENT_SCOPE';
      expect(await reasonOf(method, `Bearer ${keyOf(scope)}`), `${method} with ${scope}`).toBe(expected);
    }
    expect(await reasonOf(method, 'Bearer unknown')).toBe('UNAUTHENTICATED');
  }
});

it('T3: every method over gRPC may be asked again when a key can’t be judged now', async () => {
  for (const method of Object.keys(OPENED_BY))
    expect(await reasonOf(method, 'Bearer x', unsure), method).toBe('STORE_UNAVAILABLE');
});

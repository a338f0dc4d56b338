import type { Settlement } from '@holdfast/idempotency';
import { statusBytes } from '@holdfast/rpc';

/** A service's own no, for good: it is stored as the answer (S5). */
export interface Refused<Reason extends string = string> {
  kind: 'refused';
  reason: Reason;
  message: string;
  /** For programs: values that the message tells people. Of the service's own, never of the request. */
  metadata?: Record<string, string>;
}

/** What an effect came to, in the service's own terms. */
export type EffectOutcome<Result, Reason extends string = string> =
  | { kind: 'completed'; result: Result }
  | Refused<Reason>;

/** As it is stored and sent. */
export function settlementOf<Result>(outcome: EffectOutcome<Result>, encode: (result: Result) => Buffer): Settlement {
  if (outcome.kind === 'completed') return { kind: 'completed', answer: encode(outcome.result) };
  return { kind: 'refused', answer: statusBytes(outcome.reason, outcome.message, outcome.metadata) };
}

/** An order of a batch has its effect already: the batch can't be written as one, and is split. */
export class DuplicateEffect extends Error {
  override name = 'DuplicateEffect';
  constructor() {
    super('an order of this batch has this effect already: make the effect of each order alone');
  }
}

/**
 * The effects of a batch (K5): those of new calls are made at once; what an earlier attempt has left is found, call by call.
 * @param make undefined when a call of these has its effect already; nothing is written then
 * @throws DuplicateEffect when one among several new calls has its effect already
 */
export async function makeOrFind<Call extends { resumed: boolean }, Outcome>(
  calls: Call[],
  make: (fresh: Call[]) => Promise<Outcome[] | undefined>,
  find: (call: Call) => Promise<Outcome>,
): Promise<Outcome[]> {
  const fresh = calls.filter(({ resumed }) => !resumed);
  const made = fresh.length === 0 ? [] : await make(fresh);
  if (made === undefined && fresh.length > 1) throw new DuplicateEffect();
  const outcomes: Outcome[] = [];
  for (const call of calls) outcomes.push((call.resumed ? undefined : made?.shift()) ?? (await find(call)));
  return outcomes;
}

/** Whose effect a row is. */
export interface OrderId {
  tenantId: string;
  orderId: string;
}

/** Tenants and orders as the first two columns of a statement. */
export function orderColumns(orders: OrderId[]): [string[], string[]] {
  return [orders.map(({ tenantId }) => tenantId), orders.map(({ orderId }) => orderId)];
}

/** @returns finds an order's row among these */
export function byOrder<Row extends { tenant_id: string; order_id: string }>(
  rows: Row[],
): (order: OrderId) => Row | undefined {
  const found = new Map(rows.map((row) => [`${row.tenant_id} ${row.order_id}`, row]));
  return ({ tenantId, orderId }) => found.get(`${tenantId} ${orderId}`);
}

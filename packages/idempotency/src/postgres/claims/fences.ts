// K4 What a call's epoch comes to at the fence of its order, once the first statement of claims.ts has raised it.

import { type Query, statement } from '@holdfast/postgres';

/** How far one call may raise a fence: more than adoptions and waits raise an epoch between two calls. */
export const FENCE_STEP = 100_000;

/** By tenant and order: where each fence stands that was raised; null when all were, as far as was called for. */
export type Raised = Record<string, number> | null;

/** The order and the caller's epoch for it; none where the call belongs to no saga. */
export interface Fence {
  orderId: string;
  epoch: number;
}
interface FencedCall {
  tenantId: string;
  fence?: Fence;
}

export type Stopped =
  /** `epoch`: the highest seen. */
  | { kind: 'fenced'; epoch: number }
  /** The call's epoch is further above the fence than one call may raise it: call again. */
  | { kind: 'fence_rising' };

const readFences = statement(
  'idempotency.read-fences',
  `select r.ord, f.epoch from unnest($1::text[], $2::text[]) with ordinality as r(tenant_id, order_id, ord)
     join holdfast.fences f on f.tenant_id = r.tenant_id and f.order_id = r.order_id`,
);

/** Tells those that are fenced by which epoch: a second statement, which only they pay for. */
export async function giveFences(
  tx: Query,
  requests: FencedCall[],
  outcomes: (Stopped | { kind: string })[],
): Promise<void> {
  const fenced = outcomes.flatMap((outcome, at) => (isFenced(outcome) ? [{ outcome, at }] : []));
  if (fenced.length === 0) return;
  const values = [fenced.map(({ at }) => requests[at]?.tenantId), fenced.map(({ at }) => requests[at]?.fence?.orderId)];
  const { rows } = await tx.query<{ ord: number; epoch: number }>({ ...readFences, values });
  for (const { ord, epoch } of rows) {
    const one = fenced[ord - 1];
    if (one !== undefined) one.outcome.epoch = epoch;
  }
}

/** Null: it may go on. */
export function judgeFence({ fence, tenantId }: FencedCall, raised: Raised): Stopped | null {
  if (fence === undefined || raised === null) return null;
  const standsAt = raised[`${tenantId} ${fence.orderId}`];
  if (standsAt === undefined) return { kind: 'fenced', epoch: fence.epoch };
  return standsAt < fence.epoch ? { kind: 'fence_rising' } : null;
}

function isFenced(outcome: Stopped | { kind: string }): outcome is Extract<Stopped, { kind: 'fenced' }> {
  return outcome.kind === 'fenced';
}

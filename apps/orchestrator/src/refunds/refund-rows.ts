// How refunds are read: alone, in lists, and beside their order.
import type { Failure, SagaState } from '@holdfast/saga';
import { type RefundLine, type RefundOutputs, type RefundView, viewRefund } from './refund.ts';

export interface RefundRow {
  id: string;
  orderId: string;
  origin: 'api' | 'provider';
  amount: number;
  currency: string;
  lines: RefundLine[];
  reason: string | null;
  /** A text where it comes beside its order. */
  createdAt: Date | string;
  toldStatus: 'pending' | 'succeeded' | 'failed' | null;
  toldReason: string | null;
  toldAt: Date | string | null;
  state: SagaState | null;
  outputs: Partial<RefundOutputs> | null;
  failure: Failure | null;
  changedAt: Date | string | null;
}

export const REFUND_COLUMNS = `f.id, f.order_id as "orderId", f.origin, f.amount, f.currency, f.lines, f.reason,
          f.created_at as "createdAt", f.told_status as "toldStatus", f.told_reason as "toldReason", f.told_at as "toldAt",
          s.state, s.outputs, s.failure, s.changed_at as "changedAt"`;

const REFUNDS_SHOWN = 10;

/**
 * A lateral item with what was given back of an order: `refunded`, its sum, and `refunds`, the newest as a JSON list.
 * Succeeded: as viewRefund() says.
 */
export function refundsOfOrderSql(orderId: string): string {
  return `lateral (
     select coalesce(sum(f.amount) filter (where case f.origin
              when 'provider' then f.told_status = 'succeeded'
              else s.state = 'completed' and s.outputs -> 'refund-payment' ->> 'status' = 'succeeded'
                   and f.told_status is distinct from 'failed' end), 0)::bigint as refunded,
            case when count(*) > 0 then (
              select json_agg(newest) from (
                select ${REFUND_COLUMNS} from order_refunds f left join holdfast.sagas s on s.id = f.id and f.origin = 'api'
                 where f.order_id = ${orderId} order by f.created_at desc, f.id desc limit ${REFUNDS_SHOWN}) newest
            ) end as refunds
       from order_refunds f left join holdfast.sagas s on s.id = f.id and f.origin = 'api'
      where f.order_id = ${orderId})`;
}

export function viewOfRefund(row: RefundRow): RefundView {
  const { toldStatus, toldReason, toldAt, state, outputs, failure, changedAt, createdAt, ...refund } = row;
  const saga =
    state === null || changedAt === null
      ? null
      : { state, outputs: outputs ?? {}, failure, changedAt: new Date(changedAt) };
  const told =
    toldStatus === null || toldAt === null ? null : { status: toldStatus, reason: toldReason, at: new Date(toldAt) };
  return viewRefund({ ...refund, createdAt: new Date(createdAt).toISOString(), saga, told });
}

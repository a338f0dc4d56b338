/** A payment that its customer takes back through the bank, as the provider knows it. */
export interface DisputeView {
  id: string;
  /** Minor units. */
  amount: number;
  currency: string;
  /** The provider's words, as is `status`. */
  reason: string;
  status: string;
  openedAt: string;
  updatedAt: string;
}

const DISPUTES_SHOWN = 10;

/** A lateral item with the newest disputes of an order as a JSON list; null where there is none. */
export function disputesOfOrderSql(orderId: string): string {
  return `lateral (
     select json_agg(newest order by newest."openedAt" desc) as disputes from (
       select d.id, d.amount, d.currency, d.reason, d.status, d.opened_at as "openedAt", d.told_at as "updatedAt"
         from order_disputes d where d.order_id = ${orderId} order by d.opened_at desc limit ${DISPUTES_SHOWN}) newest)`;
}

/** Its instants are texts in Postgres' own form. */
export function viewOfDispute({ openedAt, updatedAt, ...dispute }: DisputeView): DisputeView {
  return { ...dispute, openedAt: new Date(openedAt).toISOString(), updatedAt: new Date(updatedAt).toISOString() };
}

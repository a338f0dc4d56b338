import type { Failure, SagaState } from '@holdfast/saga';
import type { RefundView } from '../refunds/refund.ts';

export interface Item {
  sku: string;
  quantity: number;
}

export interface ShipTo {
  name: string;
  line1: string;
  city: string;
  postalCode: string;
  country: string;
}

/** What a customer asks for; the body of `POST /v1/orders`. */
export interface OrderRequest {
  customerId: string;
  currency: string;
  items: Item[];
  payment: { method: string };
  shipTo: ShipTo;
}

/** An accepted order: the input of its saga, never changed afterwards. */
export interface AcceptedOrder extends OrderRequest {
  tenantId: string;
  /** RFC 3339, UTC. */
  createdAt: string;
  traceparent: string;
}

/** What the steps have answered, by step name. Stored data: neither steps nor members are ever renamed. */
export interface OrderOutputs {
  'reserve-inventory': { reservationId: string; total: number; unitPrices: Record<string, number> };
  'charge-payment': { paymentId: string };
  'create-shipment': { shipmentId: string };
}

export type OrderStatus = 'processing' | 'completed' | 'compensating' | 'failed' | 'cancelled' | 'parked';

/** The order as the API shows it. The order of members is the order in which they are sent. */
export interface OrderView {
  id: string;
  status: OrderStatus;
  customerId: string;
  currency: string;
  /** `unitPrice` is null until the stock is reserved. */
  items: { sku: string; quantity: number; unitPrice: number | null }[];
  total: number | null;
  reservationId: string | null;
  paymentId: string | null;
  shipmentId: string | null;
  failure: Failure | null;
  /** Minor units that were given back by now. */
  refunded: number;
  /** The newest, newest first. */
  refunds: RefundView[];
  createdAt: string;
  updatedAt: string;
}

/** How far a saga has got, as far as an order's view depends on it. */
export interface OrderProgress {
  state: SagaState;
  outputs: Partial<OrderOutputs>;
  failure: Failure | null;
}

export const STATUS_BY_STATE: Record<SagaState, OrderStatus> = {
  running: 'processing',
  waiting: 'processing',
  compensating: 'compensating',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  parked: 'parked',
};

const TERMINAL: ReadonlySet<OrderStatus> = new Set(['completed', 'failed', 'cancelled']);

/** Nothing will change any more. A parked order waits for an operator and is not terminal. */
export function isTerminal(status: OrderStatus): boolean {
  return TERMINAL.has(status);
}

/** The order as it was accepted, before any step. */
export const JUST_ACCEPTED: OrderProgress = { state: 'running', outputs: {}, failure: null };

/** What was given back of it. */
export type GivenBack = Pick<OrderView, 'refunded' | 'refunds'>;

/** Only a completed order is refunded: up to its end there is none. */
const NOTHING_BACK: GivenBack = { refunded: 0, refunds: [] };

export function viewOrder(
  id: string,
  order: AcceptedOrder,
  progress: OrderProgress,
  updatedAt: string,
  { refunded, refunds } = NOTHING_BACK,
): OrderView {
  const reserved = progress.outputs['reserve-inventory'];
  return {
    id,
    status: STATUS_BY_STATE[progress.state],
    customerId: order.customerId,
    currency: order.currency,
    items: order.items.map(({ sku, quantity }) => ({ sku, quantity, unitPrice: reserved?.unitPrices[sku] ?? null })),
    total: reserved?.total ?? null,
    reservationId: reserved?.reservationId ?? null,
    paymentId: progress.outputs['charge-payment']?.paymentId ?? null,
    shipmentId: progress.outputs['create-shipment']?.shipmentId ?? null,
    failure: progress.failure,
    refunded,
    refunds,
    createdAt: order.createdAt,
    updatedAt,
  };
}

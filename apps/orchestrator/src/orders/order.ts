import type { Failure, SagaState, StoredWait } from '@holdfast/saga';
import type { DisputeView } from '../news/dispute.ts';
import type { RefundView } from '../refunds/refund.ts';
import { type CaptureView, type KnownSettlement, RELEASED, viewCapture } from '../settlements/settlement.ts';
import { type OrderFailure, viewFailure } from './changed-prices.ts';

export interface Item {
  sku: string;
  quantity: number;
  /** The price that the customer was shown; absent: any. */
  unitPrice?: number;
  name?: string;
}

/** An amount beside the items, as the shop has worked it out: added up, never computed. */
export interface OrderLine {
  kind: 'shipping' | 'tax' | 'discount' | 'fee';
  name: string;
  /** Minor units; 0 or below for a discount, 0 or above for all others. */
  amount: number;
}

export interface ShipTo {
  name: string;
  line1: string;
  city: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** Where the country has them. */
  postalCode?: string;
  line2?: string;
  region?: string;
  phone?: string;
  company?: string;
}

/** How an order is paid. */
export interface PaymentRequest {
  /** `balance`, a payment method of the card provider, or `card` (also when left out): given on the shop's page. */
  method?: string;
  /** The card provider's customer. */
  customer?: string;
  /** The customer is not there to confirm anything. */
  offSession?: boolean;
  /** Where the bank sends the customer back to. */
  returnUrl?: string;
  /** When the card is charged: as part of the order, or when it is dispatched. */
  capture?: 'on_order' | 'on_dispatch';
}

/** What a customer asks for; the body of `POST /v1/orders`. */
export interface OrderRequest {
  customerId: string;
  currency: string;
  items: Item[];
  payment: PaymentRequest;
  shipTo: ShipTo;
  lines?: OrderLine[];
  /** The total that the customer was shown, with the lines; absent: any. */
  expectedTotal?: number;
  metadata?: Record<string, string>;
  reference?: string;
}

/** What the lines beside the items add up to. */
export function besideItems({ lines }: Pick<OrderRequest, 'lines'>): number {
  return lines === undefined ? 0 : lines.reduce((sum, { amount }) => sum + amount, 0);
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
  /** `total`: of the items alone. */
  'reserve-inventory': { reservationId: string; total: number; unitPrices: Record<string, number> };
  /** `authorizedUntil`: it is only authorised, and can be captured until then. */
  'charge-payment': { paymentId: string; authorizedUntil?: string };
  'create-shipment': { shipmentId: string };
}

export type OrderStatus =
  | 'processing'
  | 'awaiting_payment'
  | 'completed'
  | 'compensating'
  | 'failed'
  | 'cancelled'
  | 'parked';

/** The order as the API shows it. The order of members is the order in which they are sent. */
export interface OrderView {
  id: string;
  status: OrderStatus;
  customerId: string;
  currency: string;
  /** `unitPrice` is null until the stock is reserved. */
  items: { sku: string; quantity: number; unitPrice: number | null; name?: string }[];
  /** Of the items and the lines beside them. */
  total: number | null;
  reservationId: string | null;
  paymentId: string | null;
  shipmentId: string | null;
  failure: OrderFailure | null;
  /** Minor units that were given back by now. */
  refunded: number;
  /** The newest, newest first. */
  refunds: RefundView[];
  /** What is to be done for an order that awaits its payment. */
  nextAction: NextAction | null;
  createdAt: string;
  updatedAt: string;
  /** These three are there only if they were sent. */
  lines?: OrderLine[];
  metadata?: Record<string, string>;
  reference?: string;
  /** Only of an order that is captured when it is dispatched. */
  capture?: CaptureView;
  /** Only where there are any: the newest, newest first. */
  disputes?: DisputeView[];
}

/** As payment tells it: who has the client secret can pay this one order, and nothing else. */
export interface NextAction {
  /** `confirm`: pay on the shop's page. `authenticate`, `redirect`: answer the bank. `processing`: the bank decides. */
  type: 'confirm' | 'authenticate' | 'redirect' | 'processing';
  clientSecret?: string;
  redirectUrl?: string;
  /** Until when the customer can act. */
  expiresAt?: string;
}

/** How far a saga has got, as far as an order's view depends on it. */
export interface OrderProgress {
  state: SagaState;
  outputs: Partial<OrderOutputs>;
  failure: Failure | null;
  waiting: StoredWait | null;
}

const STATUS_BY_STATE: Record<SagaState, OrderStatus> = {
  running: 'processing',
  waiting: 'awaiting_payment',
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
export const JUST_ACCEPTED: OrderProgress = { state: 'running', outputs: {}, failure: null, waiting: null };

/** Kept while the step is asked again: the customer's part has not changed then. */
function awaitedPayment({ state, waiting }: OrderProgress): StoredWait | null {
  return state === 'waiting' || state === 'running' ? waiting : null;
}

/** What has happened to it beside its own saga. */
export interface BesideOrder extends Pick<OrderView, 'refunded' | 'refunds'> {
  disputes: DisputeView[];
  settlement: KnownSettlement | null;
}

/** All of that comes after its end. */
const NOTHING_BESIDE: BesideOrder = { refunded: 0, refunds: [], disputes: [], settlement: null };

export function viewOrder(
  id: string,
  order: AcceptedOrder,
  progress: OrderProgress,
  updatedAt: string,
  { refunded, refunds, disputes, settlement } = NOTHING_BESIDE,
): OrderView {
  const reserved = progress.outputs['reserve-inventory'];
  const awaited = awaitedPayment(progress);
  const status = awaited === null ? STATUS_BY_STATE[progress.state] : 'awaiting_payment';
  const turnedBack = settlement?.kind === 'release' && status === 'completed' ? settlement.saga : undefined;
  return {
    id,
    status: turnedBack === undefined ? status : releasedStatus(turnedBack.state),
    customerId: order.customerId,
    currency: order.currency,
    items: order.items.map(({ sku, quantity, name }) => {
      const item = { sku, quantity, unitPrice: reserved?.unitPrices[sku] ?? null };
      return name === undefined ? item : { ...item, name };
    }),
    total: reserved === undefined ? null : reserved.total + besideItems(order),
    reservationId: reserved?.reservationId ?? null,
    paymentId: progress.outputs['charge-payment']?.paymentId ?? null,
    shipmentId: progress.outputs['create-shipment']?.shipmentId ?? null,
    failure: turnedBack === undefined ? viewFailure(progress.failure, order) : RELEASED,
    refunded,
    refunds,
    nextAction: awaited === null ? null : (awaited.data as NextAction | null),
    createdAt: order.createdAt,
    updatedAt,
    ...carried(order),
    ...(order.payment.capture === 'on_dispatch' && { capture: viewCapture(progress, settlement) }),
    ...(disputes.length > 0 && { disputes }),
  };
}

/** Of an order that was completed, and then cancelled before it was captured. */
function releasedStatus(state: SagaState): OrderStatus {
  if (state === 'completed') return 'cancelled';
  return state === 'parked' ? 'parked' : 'compensating';
}

/** What the shop gave us to keep for it. */
function carried({ lines, metadata, reference }: OrderRequest): Pick<OrderView, 'lines' | 'metadata' | 'reference'> {
  return {
    ...(lines !== undefined && { lines }),
    ...(metadata !== undefined && { metadata }),
    ...(reference !== undefined && { reference }),
  };
}

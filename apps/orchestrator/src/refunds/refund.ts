import type { Failure, SagaState } from '@holdfast/saga';

/** The definition of its saga: stored data. */
export const REFUND_SAGA = 'refund-order';
/** Its step that waits while the provider has not ended the refund: stored data. */
export const REFUND_PAYMENT = 'refund-payment';

/** What comes back of one line of the order. */
export interface RefundLine {
  sku: string;
  quantity: number;
  /** Whether it goes back to stock. */
  restock: boolean;
}

/** The body of `POST /v1/orders/{id}/refunds`: an amount, lines at the prices of the order, or lines with an amount of the shop's own. */
export interface RefundRequest {
  amount?: number;
  lines?: RefundLine[];
  reason?: string;
}

/** An accepted refund: the input of its saga, never changed afterwards. */
export interface AcceptedRefund {
  tenantId: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  /** Empty where only an amount was given. */
  lines: RefundLine[];
  reason: string | null;
  /** RFC 3339, UTC. */
  createdAt: string;
  traceparent: string;
}

/** What the steps have answered, by step name. Stored data: neither steps nor members are ever renamed. */
export interface RefundOutputs {
  'reserve-restock': null;
  'reserve-refund': null;
  'refund-payment': { status: 'succeeded' | 'failed'; providerRefundId: string | null; reason: string | null };
  restock: null;
}

export type RefundStatus = 'processing' | 'pending' | 'succeeded' | 'failed' | 'parked';

/** The refund as the API shows it. The order of members is the order in which they are sent. */
export interface RefundView {
  id: string;
  orderId: string;
  status: RefundStatus;
  amount: number;
  currency: string;
  lines: RefundLine[];
  reason: string | null;
  origin: 'api' | 'provider';
  failure: Failure | null;
  createdAt: string;
  updatedAt: string;
}

/** How far its saga has got. */
export interface RefundProgress {
  state: SagaState;
  outputs: Partial<RefundOutputs>;
  failure: Failure | null;
  changedAt: Date;
}

/** What payment has told of it last. */
export interface ToldRefund {
  status: 'pending' | 'succeeded' | 'failed';
  reason: string | null;
  at: Date;
}

export interface KnownRefund extends Omit<AcceptedRefund, 'tenantId' | 'traceparent'> {
  id: string;
  origin: 'api' | 'provider';
  /** Null for one that was made at the provider. */
  saga: RefundProgress | null;
  told: ToldRefund | null;
}

export function viewRefund(refund: KnownRefund): RefundView {
  const { id, orderId, amount, currency, lines, reason, origin, createdAt } = refund;
  const { status, failure } = standingOf(refund);
  const updatedAt = latest(createdAt, refund.saga?.changedAt, refund.told?.at);
  return { id, orderId, status, amount, currency, lines, reason, origin, failure, createdAt, updatedAt };
}

/** A refund that has just been accepted. */
export function viewAccepted(id: string, { tenantId: _, traceparent: __, ...refund }: AcceptedRefund): RefundView {
  return viewRefund({ ...refund, id, origin: 'api', saga: null, told: null });
}

function standingOf({ origin, saga, told }: KnownRefund): { status: RefundStatus; failure: Failure | null } {
  if (origin === 'provider') {
    return told?.status === 'failed' ? failedThere(told.reason) : { status: told?.status ?? 'pending', failure: null };
  }
  switch (saga?.state) {
    case 'failed':
    case 'cancelled':
      return { status: 'failed', failure: saga.failure };
    case 'parked':
      return { status: 'parked', failure: null };
    case 'completed': {
      const given = saga.outputs['refund-payment'];
      if (given?.status === 'failed') return failedThere(given.reason);
      // The provider may say so later: then it has not been given back after all.
      return told?.status === 'failed' ? failedThere(told.reason) : { status: 'succeeded', failure: null };
    }
    case 'waiting':
      return { status: 'pending', failure: null };
    default:
      return { status: told?.status === 'pending' ? 'pending' : 'processing', failure: null };
  }
}

function failedThere(reason: string | null): { status: 'failed'; failure: Failure } {
  const message =
    `the payment provider has not given it back (${reason ?? 'failed'}): ` +
    'give it back in another way, or make a new refund under a new key';
  return { status: 'failed', failure: { step: 'refund-payment', reason: 'REFUND_FAILED', message } };
}

function latest(createdAt: string, ...others: (Date | undefined)[]): string {
  const instants = others.flatMap((at) => (at === undefined ? [] : [at.getTime()]));
  return new Date(Math.max(Date.parse(createdAt), ...instants)).toISOString();
}

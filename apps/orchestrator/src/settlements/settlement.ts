/*
 * The payment of an order that is captured when it is dispatched: what it shows, by what was decided of it.
 *
 * M1  Of an authorised order, one thing is decided at a time: its capture, with which it leaves, or its release, with which it is
 *     cancelled. The next is decided only after the one before has ended for good with nothing captured.
 */
import type { Failure, SagaState } from '@holdfast/saga';

/** Definitions of sagas: stored data. */
export const CAPTURE_SAGA = 'capture-order';
export const RELEASE_SAGA = 'release-order';

/** The input of a capture's saga, never changed afterwards. */
export interface AcceptedCapture {
  tenantId: string;
  orderId: string;
  /** Minor units, up to the order's total. */
  amount: number;
  currency: string;
  /** By it shipping knows that this API has decided that the parcel leaves. */
  dispatchKey: string;
  traceparent: string;
}

/** Stored data: neither steps nor members are ever renamed. */
export interface CaptureOutputs {
  'reserve-capture': null;
  /** `amount`: what was captured. */
  'capture-payment': { status: 'captured' | 'failed'; amount: number; reason: string | null };
  /** Null where nothing was captured. */
  'dispatch-shipment': { shipmentId: string; dispatchedAt: string } | null;
}

/** The input of a release's saga. */
export interface AcceptedRelease {
  tenantId: string;
  orderId: string;
  /** Of the order's own saga when it ended: what the release asks for comes after all that it has asked for. */
  orderEpoch: number;
  traceparent: string;
}

export interface ReleaseOutputs {
  'decide-release': null;
  'cancel-shipment': null;
  'release-payment': null;
  'release-stock': null;
}

export interface KnownSettlement {
  /** Null: nothing is decided, and payment has told of the authorisation. */
  kind: 'capture' | 'release' | null;
  saga: { state: SagaState; outputs: Partial<CaptureOutputs>; failure: Failure | null } | undefined;
  /** What payment has told of the authorisation. */
  told: 'expiring' | 'expired' | null;
}

/** What is known of the order's own saga. */
interface OrderState {
  state: SagaState;
  outputs: { 'charge-payment'?: { authorizedUntil?: string } };
}

export interface CaptureView {
  status: 'pending' | 'authorized' | 'capturing' | 'captured' | 'expired' | 'releasing' | 'released';
  /** Minor units that were captured. */
  amount: number;
  /** Until when it can be captured; null until it is authorised. */
  expiresAt: string | null;
}

export function viewCapture(order: OrderState, settlement: KnownSettlement | null): CaptureView {
  const expiresAt = order.outputs['charge-payment']?.authorizedUntil ?? null;
  const captured = settlement?.saga?.outputs['capture-payment'];
  const amount = settlement?.kind === 'capture' && captured?.status === 'captured' ? captured.amount : 0;
  return { status: statusOf(order, settlement), amount, expiresAt };
}

function statusOf({ state }: OrderState, settlement: KnownSettlement | null): CaptureView['status'] {
  if (state === 'failed' || state === 'cancelled') return 'released';
  if (state === 'compensating') return 'releasing';
  if (state !== 'completed') return 'pending';
  const saga = settlement?.saga;
  const expired = settlement?.told === 'expired' ? 'expired' : 'authorized';
  if (saga === undefined || settlement === null) return expired;
  if (settlement.kind === 'release') return saga.state === 'completed' ? 'released' : 'releasing';
  switch (saga.state) {
    case 'completed':
      if (saga.outputs['capture-payment']?.status === 'captured') return 'captured';
      return refusesAmount(saga) ? expired : 'expired';
    case 'failed':
    case 'cancelled':
      return saga.failure?.reason === 'AUTHORIZATION_EXPIRED' ? 'expired' : expired;
    default:
      return 'capturing';
  }
}

/** The provider won't take this amount; another one can be captured. */
export function refusesAmount({ outputs }: NonNullable<KnownSettlement['saga']>): boolean {
  const reason = outputs['capture-payment']?.reason;
  return reason === 'amount_too_small' || reason === 'amount_too_large';
}

/** Why an order has failed that was cancelled after it had been completed. */
export const RELEASED: Failure = {
  step: 'decide-release',
  reason: 'CANCELLED',
  message: 'the order was cancelled before its payment was captured',
};

/** Has it ended for good, with nothing captured? Then the next thing may be decided. */
export function hasCapturedNothing({ kind, saga }: Pick<KnownSettlement, 'kind' | 'saga'>): boolean {
  if (kind !== 'capture' || saga === undefined) return false;
  if (saga.state === 'failed' || saga.state === 'cancelled') return true;
  return saga.state === 'completed' && saga.outputs['capture-payment']?.status !== 'captured';
}

/** @param last what was decided last. May this be decided now? */
export function mayFollow(last: Pick<KnownSettlement, 'kind' | 'saga'>, kind: 'capture' | 'release'): boolean {
  const { kind: lastKind, saga } = last;
  if (saga === undefined) return false;
  // An operator has turned a release back, or nobody could drive it for weeks. It was told: it is made again, and nothing else is.
  if (lastKind === 'release') return kind === 'release' && (saga.state === 'failed' || saga.state === 'cancelled');
  if (!hasCapturedNothing(last)) return false;
  // A capture that was refused because the authorisation is gone would be refused again.
  const isGone = saga.state === 'completed' ? !refusesAmount(saga) : saga.failure?.reason === 'AUTHORIZATION_EXPIRED';
  return kind === 'release' || !isGone;
}

/*
 * What may be captured of an authorised charge, and what the provider's payment says of a capture: decided here, without a
 * database, under the lock of the charge.
 *
 * M1  One capture at most is decided for a charge, of what was authorised at most; only while nobody gives the charge back.
 *     At the provider a payment is captured or cancelled, once: whichever comes first, the other finds it.
 * S5  A refusal is a value, and final.
 */
import type { Refused } from '@holdfast/participant';
import type Stripe from 'stripe';
import type { ChargeState } from '../charge.ts';

export type CaptureRefusal = 'AUTHORIZATION_EXPIRED' | 'CAPTURE_EXCEEDS_AUTHORIZED' | 'NOT_CAPTURABLE';

export interface AuthorizedCharge {
  state: ChargeState;
  /** Minor units. */
  authorized: number;
}

/** @returns why so much can't be captured; undefined when it can */
export function captureRefusal(
  charge: AuthorizedCharge | undefined,
  amount: number,
): Refused<CaptureRefusal> | undefined {
  if (charge?.state === 'expired') {
    const message = 'the authorisation has run out, or was cancelled at the card provider: nothing can be captured';
    return { kind: 'refused', reason: 'AUTHORIZATION_EXPIRED', message };
  }
  // An order that costs nothing is captured as soon as it is placed.
  const isFree = charge?.state === 'captured' && charge.authorized === 0;
  const isOpen = charge !== undefined && (charge.state === 'authorized' || isFree);
  if (!isOpen) {
    const message = 'this order has no authorised payment that could be captured, or it is captured already';
    return { kind: 'refused', reason: 'NOT_CAPTURABLE', message };
  }
  if (amount <= charge.authorized) return undefined;
  const message = `${charge.authorized} were authorised: capture no more`;
  return { kind: 'refused', reason: 'CAPTURE_EXCEEDS_AUTHORIZED', message };
}

export type CaptureStanding =
  /** Minor units that were taken. */
  | { kind: 'captured'; amount: number }
  /** Nothing was taken, and nothing can be any more. */
  | { kind: 'gone'; reason: 'authorization_expired' | 'cancelled_at_provider' }
  /** It can be captured. */
  | { kind: 'open' }
  /** In no state that an authorised payment can have. */
  | { kind: 'unclear' };

export function captureStandingOf({
  status,
  amount_received: amount,
  cancellation_reason: why,
}: Pick<Stripe.PaymentIntent, 'status' | 'amount_received' | 'cancellation_reason'>): CaptureStanding {
  switch (status) {
    case 'succeeded':
      return { kind: 'captured', amount };
    case 'canceled':
      return { kind: 'gone', reason: why === 'automatic' ? 'authorization_expired' : 'cancelled_at_provider' };
    case 'requires_capture':
      return { kind: 'open' };
    default:
      return { kind: 'unclear' };
  }
}

/** What has become of a capture, with what that makes of its charge. */
export interface SettledCapture {
  state: 'captured' | 'failed';
  amount: number;
  reason: string | null;
  chargeState: 'authorized' | 'captured' | 'expired';
}

/** What the provider has against the amount alone: another one can be captured. */
const OF_AMOUNT: ReadonlySet<string> = new Set(['amount_too_large', 'amount_too_small']);

/** @param charge as it is now, locked */
export function settledCapture(
  charge: Pick<AuthorizedCharge, 'state'>,
  amount: number,
  found: Extract<CaptureStanding, { kind: 'captured' | 'gone' }> | { kind: 'refused'; reason: string },
): SettledCapture {
  // Whoever gives the charge back has made sure at the provider that nothing of it is kept, whichever came first there.
  const isTurnedBack = charge.state !== 'capturing' && charge.state !== 'captured';
  if (isTurnedBack) return { state: 'failed', amount, reason: 'order_turned_back', chargeState: 'expired' };
  if (found.kind === 'captured') {
    return { state: 'captured', amount: found.amount, reason: null, chargeState: 'captured' };
  }
  const chargeState = found.kind === 'refused' && OF_AMOUNT.has(found.reason) ? 'authorized' : 'expired';
  return { state: 'failed', amount, reason: found.reason, chargeState };
}

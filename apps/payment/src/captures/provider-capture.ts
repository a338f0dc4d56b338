/*
 * A capture at the card provider: what is asked of it, and what its answers mean.
 *
 * M1  The provider lets a payment be captured once, and cancelled once, whichever comes first: a capture that was asked for
 *     twice, or arrives late, takes nothing more. It is asked for under one key for as long as the provider may still run what
 *     came under it, and asked about before it is asked for again.
 * S4  An outcome that isn't known is asked for, never guessed.
 */
import type { PerformOutcome } from '@holdfast/participant';
import { ask } from '../card/charge-card.ts';
import { retryAfterMs } from '../card/provider-errors.ts';
import { unknown } from '../card/standing.ts';
import type { Provider } from '../provider.ts';
import { type CaptureStanding, captureStandingOf } from './capture-book.ts';

export interface CardCapture {
  tenantId: string;
  /** The step's key. */
  key: string;
  intentId: string;
  /** Minor units, above 0. */
  amount: number;
  /** Counts the keys that the provider holds a fault under. */
  keyNumber: number;
  /** From 1. */
  attempt: number;
}

export type Captured =
  | Extract<CaptureStanding, { kind: 'captured' | 'gone' }>
  /** The provider's own no, for good. */
  | { kind: 'refused'; reason: string };

export type CardCaptures = (
  capture: CardCapture,
  /** Stores that the key is spent. */
  spendKey: () => Promise<void>,
) => Promise<PerformOutcome<Captured>>;

export const createCardCaptures =
  (provider: Provider): CardCaptures =>
  async (capture, spendKey) => {
    if (capture.attempt > 1) {
      const earlier = await standing(provider, capture);
      // An earlier attempt may have captured it, and its answer was lost.
      if (earlier.kind !== 'open') return earlier.outcome;
    }
    const { tenantId, key, intentId, amount, keyNumber } = capture;
    const made = await provider.call(
      'capture',
      provider.stripe.paymentIntents.capture(
        intentId,
        { amount_to_capture: amount },
        { idempotencyKey: `${tenantId}:${key}:capture:${keyNumber}` },
      ),
    );
    // crash here: it is captured and nobody here knows it; the next attempt asks, and stores what it hears.
    if (made.kind === 'completed') return decided(captureStandingOf(made.result));
    const { error } = made;
    // A fault that it keeps under the key: what came under it never runs again, and whether it ran tells the payment.
    if (error.headers?.['idempotent-replayed'] === 'true') await spendKey();
    const now = await standing(provider, capture);
    if (now.kind !== 'open') return now.outcome;
    const { code = '' } = error;
    if (REFUSALS.has(code)) return { kind: 'completed', result: { kind: 'refused', reason: code } };
    return unknown('the card provider has not said whether the payment was captured', retryAfterMs(error));
  };

type Asked = { kind: 'open' } | { kind: 'settled'; outcome: PerformOutcome<Captured> };

async function standing(provider: Provider, { intentId }: CardCapture): Promise<Asked> {
  const asked = await ask(provider, intentId);
  if (asked.kind !== 'intent') return { kind: 'settled', outcome: asked };
  const found = captureStandingOf(asked.intent);
  return found.kind === 'open' ? found : { kind: 'settled', outcome: decided(found) };
}

function decided(found: CaptureStanding): PerformOutcome<Captured> {
  if (found.kind === 'captured' || found.kind === 'gone') return { kind: 'completed', result: found };
  return unknown('the payment can be neither captured nor is it: look at it at the card provider', OPERATOR_PAUSE_MS);
}

/** For a person. */
const OPERATOR_PAUSE_MS = 30_000;

/** While the payment still looks as if it could be captured. */
const REFUSALS: ReadonlySet<string> = new Set([
  'amount_too_large',
  'amount_too_small',
  'capture_charge_authorization_expired',
  'capture_unauthorized_payment',
  'charge_expired_for_capture',
]);

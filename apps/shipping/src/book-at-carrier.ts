/*
 * Booking and cancelling at the carrier, outside any transaction (K7).
 *
 * K1  The reference is derived from the order and was committed with the claim before the first call goes out. The carrier
 *     books a reference once, so that sending it again is safe.
 * S4  An unclear booking is looked up in the same attempt; a booking that may have been sent before is looked up first.
 *     Found is known. Not found is NOT "not booked": the request may still be on its way. Then the outcome stays unknown
 *     and the next attempt asks again.
 * K3  An undo cancels the reference itself, and does so even when nothing is booked. Looking up would not do: a booking
 *     that was sent before the undo may reach the carrier after any look, and its parcel would leave for an order
 *     that has failed. The carrier's word that the reference is cancelled (a tombstone) is what refuses that booking.
 */
import type { PerformOutcome } from '@holdfast/participant';
import type { Booking, BookResult, Carrier, FindOutcome } from './carrier.ts';

export interface BookingPlan {
  booking: Booking;
  /** An earlier attempt may have sent it. */
  sentBefore: boolean;
}

/** Calls at the carrier that one attempt makes at most: look, book, look again. */
export const MAX_CALLS_TO_BOOK = 3;

export async function bookOnce(
  carrier: Carrier,
  { booking, sentBefore }: BookingPlan,
): Promise<PerformOutcome<BookResult>> {
  if (sentBefore) {
    const earlier = await carrier.find(booking.reference);
    if (earlier.kind !== 'not_found') return whatWasFound(earlier);
  }
  const outcome = await carrier.book(booking);
  // crash here: booked, and only the carrier knows; the next attempt finds it by its reference.
  if (outcome.kind === 'refused') return { kind: 'completed', result: outcome };
  if (outcome.kind !== 'unknown') return whatWasFound(outcome);
  const found = await carrier.find(booking.reference);
  return found.kind === 'not_found' ? outcome : whatWasFound(found);
}

function whatWasFound(found: Exclude<FindOutcome, { kind: 'not_found' }>): PerformOutcome<BookResult> {
  switch (found.kind) {
    case 'completed':
      return { kind: 'completed', result: found };
    case 'cancelled':
      // An undo has been here: the claim is sealed, so that the next attempt hears it from our own database.
      return { kind: 'unknown', detail: 'the carrier holds this shipment as cancelled' };
    case 'unknown':
      return found;
  }
}

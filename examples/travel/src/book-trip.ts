import { type ActOutcome, defineSaga, type StepContext, type UndoOutcome } from '@holdfast/saga';
import type { DeskRequest } from './desk.ts';

/** What to book at each desk. */
export type Trip = Record<'flight' | 'hotel' | 'car', string>;
type Bookings = Record<`book-${keyof Trip}`, object>;
type Context = StepContext<Trip, Bookings>;

/** A flight, a room and a car, booked side by side: all of them, or none. @param urls of the desks */
export function bookTripSaga(urls: Trip, deadlineMs = 10_000) {
  const book = <Desk extends keyof Trip>(desk: Desk) => ({
    name: `book-${desk}` as const,
    kind: 'compensatable' as const,
    act: (context: Context) => ask<ActOutcome<object>>(`${urls[desk]}/book`, context, context.input[desk]),
    undo: (context: Context) => ask<UndoOutcome>(`${urls[desk]}/cancel`, context),
  });
  const steps = [{ parallel: [book('flight'), book('hotel'), book('car')] }] as const;
  return defineSaga<Trip, Bookings>()({ name: 'book-trip', deadlineMs, steps });
}

/** One call. Whatever it throws tells nothing of the booking: the engine asks again, with the same key (S4). */
async function ask<Outcome>(url: string, { key, epoch, sagaId, signal }: Context, place?: string): Promise<Outcome> {
  const body = JSON.stringify({ key, epoch, tripId: sagaId, place } satisfies DeskRequest);
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
  return (await response.json()) as Outcome;
}

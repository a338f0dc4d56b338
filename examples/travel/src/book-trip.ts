import { type ActOutcome, defineSaga, type SagaDefinition, type StepContext, type UndoOutcome } from '@holdfast/saga';
import type { DeskAnswer, DeskRequest } from './desk.ts';

/** What to book at each desk. */
export interface Trip {
  flight: string;
  hotel: string;
  car: string;
}

export interface Bookings {
  'book-flight': Record<string, never>;
  'book-hotel': Record<string, never>;
  'rent-car': Record<string, never>;
}

/** Base URLs, such as `http://127.0.0.1:4001`. */
export interface DeskUrls {
  flight: string;
  hotel: string;
  car: string;
}

type Context = StepContext<Trip, Bookings>;

const RETRY = { baseMs: 20, capMs: 500, maxAttempts: 1_000 };
const TIMEOUT_MS = 2_000;

/** A trip: a flight, a room and a car, or none of them. Once the car is rented there is no way back. */
export function bookTripSaga(desks: DeskUrls, deadlineMs = 10_000): SagaDefinition<Trip, Bookings> {
  const step = <Name extends keyof Bookings>(name: Name, desk: keyof DeskUrls) => ({
    name,
    timeoutMs: TIMEOUT_MS,
    retry: RETRY,
    act: async (context: Context): Promise<ActOutcome<Record<string, never>>> => {
      const answer = await ask(`${desks[desk]}/book`, context, context.input[desk]);
      if (answer.kind === 'completed') return { kind: 'completed', output: {} };
      if (answer.kind === 'refused') return { ...answer, message: `no ${desk}: ${answer.reason}` };
      return answer.kind === 'fenced' ? { ...answer, detail: desk } : answer;
    },
    undo: async (context: Context): Promise<UndoOutcome> => {
      const answer = await ask(`${desks[desk]}/cancel`, context);
      if (answer.kind === 'completed') return answer;
      if (answer.kind === 'fenced') return { ...answer, detail: desk };
      return { kind: 'unknown', detail: JSON.stringify(answer) };
    },
  });
  return defineSaga<Trip, Bookings>()({
    name: 'book-trip',
    deadlineMs,
    steps: [
      { ...step('book-flight', 'flight'), kind: 'compensatable' },
      { ...step('book-hotel', 'hotel'), kind: 'compensatable' },
      { ...step('rent-car', 'car'), kind: 'pivot' },
    ],
  });
}

/** One call. What it throws, the engine takes for what it is: nobody knows whether the desk has heard (S4). */
async function ask(url: string, { key, epoch, sagaId, signal }: Context, place?: string): Promise<DeskAnswer> {
  const body: DeskRequest = { key, epoch, tripId: sagaId, ...(place !== undefined && { place }) };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  return (await response.json()) as DeskAnswer;
}

import type { ActOutcome } from '@holdfast/saga';
import { type SimulatedCall, type SimulatedSaga, simulateSaga, stepModel } from '@holdfast/testing/simulation';
import { describe, expect, it } from 'vitest';
import { bookTripSaga, type Trip } from './book-trip.ts';

/** The same schedules every time; printed with what they break. */
const SEED = 20_261_124;

function travel(hotelSeals: boolean): SimulatedSaga {
  const act =
    (desk: keyof Trip) =>
    ({ input }: SimulatedCall): ActOutcome<unknown> =>
      (input as Trip)[desk] === 'gone'
        ? { kind: 'refused', reason: 'SOLD_OUT', message: '' }
        : { kind: 'completed', output: {} };
  return {
    definition: bookTripSaga({ flight: '', hotel: '', car: '' }),
    participants: () => ({
      'book-flight': stepModel({ act: act('flight') }),
      'book-hotel': stepModel({ act: act('hotel'), ...(!hotelSeals && { without: 'seal' }) }),
      'book-car': stepModel({ act: act('car') }),
    }),
    input: (random): Trip => ({ flight: 'LIS', hotel: 'Alfama', car: random() < 0.3 ? 'gone' : 'small' }),
  };
}

describe('a simulated trip', () => {
  it(`S1, A1: ends whole or not at all in 300 schedules (seed ${SEED})`, async () => {
    const { broken, schedules, struck, ended } = await simulateSaga(travel(true), { schedules: 300, seed: SEED });
    expect(broken).toBeNull();
    expect(schedules).toBe(300);
    expect(struck).toBeGreaterThan(300);
    expect(ended).toMatchObject({ completed: expect.any(Number), failed: expect.any(Number) });
  }, 30_000);

  it(`K3: a hotel that does not seal is found out within 5,000 schedules (seed ${SEED})`, async () => {
    const { broken } = await simulateSaga(travel(false), { schedules: 5_000, seed: SEED });
    expect(broken?.breach).toMatchObject({ invariant: 'A1', what: expect.stringContaining('live of book-hotel') });
  }, 30_000);
});

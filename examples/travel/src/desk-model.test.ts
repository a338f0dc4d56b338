import { type SimulatedSaga, simulateSaga } from '@holdfast/testing/simulation';
import { describe, expect, it } from 'vitest';
import { bookTripSaga, type Trip } from './book-trip.ts';
import { DeskModel } from './desk-model.ts';

/** The same schedules every time; printed with what they break. */
const SEED = 20_261_124;

function travel(hotelSeals: boolean): SimulatedSaga {
  const soldOut = (desk: keyof Trip) => (input: unknown) => ((input as Trip)[desk] === 'gone' ? 'SOLD_OUT' : null);
  return {
    definition: bookTripSaga({ flight: '', hotel: '', car: '' }),
    participants: () => ({
      'book-flight': new DeskModel({ refusal: soldOut('flight') }),
      'book-hotel': new DeskModel({ refusal: soldOut('hotel'), seals: hotelSeals }),
      'rent-car': new DeskModel({ refusal: soldOut('car') }),
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

import { defineSaga, type SagaDefinition } from '@holdfast/saga';
import { describe, expect, it } from 'vitest';
import { type SimulatedSaga, simulateSaga } from './simulate-saga.ts';
import { type Owed, ownSteps, stepModel } from './step-model.ts';

/** The same schedules every time; printed with what they break. */
const SEED = 20_261_129;
const RETRY = { baseMs: 100, capMs: 2_000, maxAttempts: 20 };

interface Seats {
  reserve(sagaId: string): boolean;
  release(sagaId: string): void;
  of(sagaId: string): number;
}

/** Its steps are functions of one's own, over what is handed in. */
function bookTrip(seats: Seats): SagaDefinition<object, { 'reserve-seat': object; 'charge-card': object }> {
  const step = { timeoutMs: 2_000, retry: RETRY };
  return defineSaga<object, { 'reserve-seat': object; 'charge-card': object }>()({
    name: 'book-trip',
    deadlineMs: 30_000,
    steps: [
      {
        ...step,
        name: 'reserve-seat',
        kind: 'compensatable',
        act: async ({ sagaId }) =>
          seats.reserve(sagaId)
            ? { kind: 'completed', output: {} }
            : { kind: 'refused', reason: 'CANCELLED', message: 'released before it was reserved' },
        undo: async ({ sagaId }) => {
          seats.release(sagaId);
          return { kind: 'completed' };
        },
      },
      {
        ...step,
        name: 'charge-card',
        kind: 'pivot',
        act: () => Promise.reject(new Error('replaced by a model')),
        undo: () => Promise.reject(new Error('replaced by a model')),
      },
    ],
  });
}

/** @param seals whether a release that comes first keeps the seat from being reserved any more */
function memorySeats(seals: boolean): Seats {
  const [reserved, released] = [new Set<string>(), new Set<string>()];
  return {
    reserve: (id) => !released.has(id) && Boolean(reserved.add(id)),
    release(id) {
      if (seals) released.add(id);
      reserved.delete(id);
    },
    of: (id) => Number(reserved.has(id)),
  };
}

/** One's own reserve-seat, and a model of the card provider that refuses a third. */
function own(seals: boolean): SimulatedSaga {
  const seats = memorySeats(seals);
  const definition = bookTrip(seats);
  const refuses = ({ input }: { input: unknown }) => (input as { isPoor: boolean }).isPoor;
  const charge = stepModel({
    act: (call) =>
      refuses(call) ? { kind: 'refused', reason: 'DECLINED', message: '' } : { kind: 'completed', output: {} },
  });
  return {
    definition,
    participants: () => ({
      ...ownSteps(definition, { 'reserve-seat': seats.of, 'charge-card': () => 0 }),
      'charge-card': charge,
    }),
    input: (random) => ({ isPoor: random() < 0.3 }),
  };
}

function models(without?: Owed): SimulatedSaga {
  const definition = bookTrip(memorySeats(true));
  return {
    definition,
    participants: () => ({ 'reserve-seat': stepModel(without && { without }), 'charge-card': stepModel() }),
    input: () => ({}),
  };
}

describe(`the simulation of a definition of one's own (seed ${SEED})`, () => {
  it('S1, A1: runs its own acts and undos, and finds nothing where they keep what a step owes', async () => {
    const { broken, schedules, ended } = await simulateSaga(() => own(true), { schedules: 200, seed: SEED });
    expect({ broken, schedules }).toEqual({ broken: null, schedules: 200 });
    expect(ended).toMatchObject({ completed: expect.any(Number), failed: expect.any(Number) });
  }, 30_000);

  it('K3: finds its own undo that does not seal', async () => {
    const { broken } = await simulateSaga(() => own(false), { schedules: 5_000, seed: SEED });
    expect(broken?.breach).toMatchObject({ invariant: 'A1', what: expect.stringContaining('live of reserve-seat') });
  }, 30_000);

  it.each(['answers', 'seal'] as const)(
    'finds a participant that does not keep its %s',
    async (without) => {
      const { broken } = await simulateSaga(models(without), { schedules: 5_000, seed: SEED });
      expect(broken?.breach).toMatchObject({ invariant: 'A1' });
    },
    30_000,
  );

  it('refuses a definition of which nothing counts the effects of a step', () => {
    expect(() => ownSteps(bookTrip(memorySeats(true)), { 'reserve-seat': () => 0 })).toThrow(/step charge-card/);
  });
});

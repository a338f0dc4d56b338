import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matrix, POINTS } from './cases.ts';
import { LEASE_MS, type Matrix, startMatrix } from './run-matrix.ts';
import { sample } from './sample.ts';

/** Printed, so that the same cases can be run again: `npm run matrix -- --sample 80 --seed S`. */
const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 20_261_124);
const ALL = matrix(LEASE_MS);
const SAMPLE = sample(ALL, 120, SEED);
const BUDGET_MS = 200_000;
/** No path of the matrix turns an order back that a carrier may have booked; it needs one. */
const NOT_YET = new Set(
  ['before-provider', 'after-provider', 'before-record'].map((point) => `cancel-shipment/${point}`),
);

let system: Matrix;
beforeAll(async () => {
  system = await startMatrix();
}, 200_000);
afterAll(() => system?.stop());

describe('whatever dies or is lost, wherever', () => {
  it(`S1, A1: a sample of the ${ALL.length} cases of the matrix (seed ${SEED}) ends as it may, and the books are right`, async () => {
    const startedAt = performance.now();
    const results = [];
    for (const entry of SAMPLE) {
      results.push(await system.run(entry));
      if (performance.now() - startedAt > BUDGET_MS) break;
    }
    const struck = results.filter(({ deaths }) => deaths > 0).length;
    console.log(
      `matrix: ${results.length} of ${ALL.length} cases, ${struck} of them struck, seed ${SEED}; all: npm run matrix`,
    );
    expect(results.filter(({ kind }) => kind === 'violated')).toEqual([]);
    expect(struck).toBeGreaterThan(results.length / 2);
  }, 360_000);

  it('every crash point of the engine and of the participants is come by', async () => {
    const missing = () => {
      const reached = system.reached();
      return POINTS.filter(({ point }) => !reached.has(point) && !NOT_YET.has(point)).map(({ point }) => point);
    };
    // Adoption is come by where an owner has died; the rest lies on the way of orders that complete or turn back.
    const wanted = [
      'address refused: orchestrator dies once at /after-act',
      'address refused: shipping dies once at cancel-shipment/before-reply',
    ];
    for (const entry of ALL.filter(({ title }) => wanted.includes(title))) {
      if (missing().length > 0) await system.run(entry);
    }
    expect(missing()).toEqual([]);
  }, 360_000);
});

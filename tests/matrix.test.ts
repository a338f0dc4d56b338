import {
  type CaseResult,
  LEASE_MS,
  type Matrix,
  matrix,
  POINTS,
  runCases,
  sample,
  startMatrices,
} from '@holdfast/matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Printed, so that the same cases can be run again: `npm run matrix -- --sample 75 --seed S`. */
const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 20_261_124);
const ALL = matrix(LEASE_MS);
const SAMPLE = sample(ALL, 75, SEED);
const BUDGET_MS = 45_000;
/** Another test's system runs beside it. */
const SYSTEMS = 1;

let system: Matrix;
beforeAll(async () => {
  system = await startMatrices(SYSTEMS);
}, 200_000);
afterAll(() => system?.stop());

describe('whatever dies or is lost, wherever', () => {
  it(`S1, A1: a sample of the ${ALL.length} cases of the matrix (seed ${SEED}) ends as it may, and the books are right`, async () => {
    const endAt = performance.now() + BUDGET_MS;
    const results: CaseResult[] = [];
    await runCases(system, SYSTEMS, SAMPLE, (result) => {
      results.push(result);
      return performance.now() < endAt ? 'go on' : 'stop';
    });
    const struck = results.filter(({ deaths }) => deaths > 0).length;
    const violated = results.filter(({ kind }) => kind === 'violated');
    console.log(
      `matrix: ${results.length} of ${ALL.length} cases, ${struck} of them struck, ${violated.length} violations, seed ${SEED}; all: npm run matrix`,
    );
    expect(violated).toEqual([]);
    expect(struck).toBeGreaterThan(results.length / 2);
  }, 360_000);

  it('every crash point of the engine and of the participants is come by', async () => {
    const missing = () => {
      const reached = system.reached();
      return POINTS.filter(({ point }) => !reached.has(point)).map(({ point }) => point);
    };
    // For a machine so slow that the sample was cut short: adoption is come by where an owner has died, the rest lies
    // on the way of an order that is turned back when the carrier has booked.
    const wanted = [
      'cancelled when shipped: orchestrator dies once at /after-act',
      'completes: orchestrator dies once at /before-adoption',
      'confirmed: orchestrator dies once at /after-wake',
      'returned: orchestrator dies once at /after-act',
      'returned for too much: orchestrator dies once at /before-undo',
      'captured: orchestrator dies once at /after-act',
      'run out: orchestrator dies once at /before-undo',
    ];
    for (const entry of ALL.filter(({ title }) => wanted.includes(title))) {
      if (missing().length > 0) await system.run(entry);
    }
    expect(missing()).toEqual([]);
  }, 360_000);
});

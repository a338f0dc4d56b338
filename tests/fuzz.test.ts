import { FUZZED_ENV, fuzzSystem } from '@holdfast/fuzz';
import { expect, it } from 'vitest';
import { startSystem } from './system.ts';

/** Of each part; `npm run fuzz -- --seconds 300 --seed S` for more. */
const SECONDS = 30;

it('every answer is declared, every error is a problem, and the books are right, whatever is sent', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const system = await startSystem({ env: FUZZED_ENV });
  try {
    const report = await fuzzSystem(system.cluster, { seed, seconds: SECONDS });
    expect(report.findings.lines(), `seed ${seed}`).toEqual([]);
    expect(report.violations).toBe(0);
    // What is refused at the door alone would show nothing.
    const { http, wire } = report;
    for (const status of ['200', '201', '400', '401', '404'])
      expect(http.countOf(status), `${http}`).toBeGreaterThan(0);
    expect(wire.total).toBeGreaterThan(100);
  } finally {
    await system.stop();
  }
}, 240_000);

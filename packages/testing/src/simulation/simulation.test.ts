import { describe, expect, it } from 'vitest';
import { seedOf } from './chance.ts';
import { emptyTally, runSchedules } from './run-schedules.ts';
import { runSchedule } from './schedule.ts';
import { shrink } from './shrink.ts';

/** Printed, so that a failure can be run again: `npm run simulate -- --seed S`. */
const RUN_SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 20_261_124);
const SCHEDULES = 2_000;

async function traceOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await runSchedule({ seed, trace: (line) => lines.push(line) });
  return lines;
}

describe('simulated schedules', () => {
  it(`S1-S6, K1-K4, A1: hold in ${SCHEDULES} schedules of seed ${RUN_SEED}, in which every kind of fault strikes`, async () => {
    const sum = emptyTally();
    const { add } = await import('./run-schedules.ts');
    await runSchedules({ runSeed: RUN_SEED, first: 0, step: 1, end: SCHEDULES, switches: {} }, (part) =>
      add(sum, part),
    );
    expect(sum.broken).toBeNull();
    expect(sum.schedules).toBe(SCHEDULES);
    expect(Object.keys(sum.ended).sort()).toEqual(['cancelled', 'completed', 'failed']);
    const { FAULT_KINDS } = await import('./chance.ts');
    expect(Object.keys(sum.faults).sort()).toEqual([...FAULT_KINDS].sort());
  }, 120_000);

  it('replay: the same seed gives the same trace, whatever runs beside it', async () => {
    const seeds = Array.from({ length: 20 }, (_, n) => seedOf(RUN_SEED, n));
    const alone: string[][] = [];
    for (const seed of seeds) alone.push(await traceOf(seed));
    const together = await Promise.all(seeds.map(traceOf));
    expect(together).toEqual(alone);
    expect(new Set(alone.map((trace) => trace.join())).size).toBe(seeds.length);
  });
});

describe('the shrinker', () => {
  it('leaves faults of which none can be spared, and which break the same invariant', async () => {
    const switches = { noSeal: true };
    let [seed, n] = [0, 0];
    for (; seed === 0; n++) if ((await runSchedule({ seed: seedOf(1, n), switches })).breach) seed = seedOf(1, n);
    const whole = await runSchedule({ seed, switches });
    const { faults, result } = await shrink({ seed, switches });
    expect(faults.length).toBeLessThan(whole.struck.length);
    expect(result.breach?.invariant).toBe(whole.breach?.invariant);
    for (const spared of faults) {
      const only = new Set(faults.filter((fault) => fault !== spared));
      const { breach } = await runSchedule({ seed, switches, only });
      expect(breach?.invariant, `without ${spared}`).not.toBe(whole.breach?.invariant);
    }
  }, 60_000);

  it('refuses a schedule that breaks nothing', async () => {
    await expect(shrink({ seed: seedOf(RUN_SEED, 0) })).rejects.toThrow('nothing to shrink');
  });
});

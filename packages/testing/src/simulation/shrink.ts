// Makes a failing schedule small: takes faults out of it as long as it still breaks the same invariant (ddmin).

import { runSchedule, type ScheduleOptions, type ScheduleResult } from './schedule.ts';

export interface Shrunk {
  result: ScheduleResult;
  /** The faults that are left: none of them can be spared. */
  faults: string[];
  runs: number;
}

const MAX_RUNS = 600;

/** @throws Error when the schedule breaks nothing */
export async function shrink(options: Pick<ScheduleOptions, 'seed' | 'switches'>): Promise<Shrunk> {
  const whole = await runSchedule(options);
  const { breach } = whole;
  if (breach === null) throw new Error(`seed ${options.seed} breaks nothing: there is nothing to shrink`);
  let [result, faults, runs] = [whole, whole.struck, 0];
  const stillBroken = async (only: string[]): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const tried = await runSchedule({ ...options, only: new Set(only) });
    if (tried.breach?.invariant !== breach.invariant) return false;
    // What was allowed and did not strike this time is not needed either.
    [result, faults] = [tried, tried.struck];
    return true;
  };
  for (let parts = 2; faults.length > 0; ) {
    const size = Math.ceil(faults.length / parts);
    const before = faults;
    for (let from = 0; from < before.length && faults === before; from += size) {
      await stillBroken([...before.slice(0, from), ...before.slice(from + size)]);
    }
    if (faults !== before) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(before.length, parts * 2);
  }
  return { result, faults, runs };
}

// Many schedules on one thread, some side by side: while one waits for its promises to settle, others go on.

import { seedOf } from './chance.ts';
import type { Switches } from './planted-bugs.ts';
import { runSchedule, type ScheduleResult } from './schedule.ts';

export interface Range {
  runSeed: number;
  /** Numbers of the schedules: from `first` (included), every `step`-th, up to `end` (not included). */
  first: number;
  step: number;
  end: number;
  switches: Switches;
}

export interface Tally {
  schedules: number;
  events: number;
  sagas: number;
  ended: Record<string, number>;
  /** Faults that struck, by kind. */
  faults: Record<string, number>;
  /** Virtual. */
  simulatedMs: number;
  /** The first one that broke something: its number and seed. */
  broken: { n: number; seed: number } | null;
}

const SIDE_BY_SIDE = 16;
const REPORT_EVERY = 500;

export function emptyTally(): Tally {
  return { schedules: 0, events: 0, sagas: 0, ended: {}, faults: {}, simulatedMs: 0, broken: null };
}

/** Runs them in order and stops at the first that breaks something. @param report gets what was done since it was last told */
export async function runSchedules(range: Range, report: (part: Tally) => void): Promise<void> {
  let next = range.first;
  let part = emptyTally();
  let over = false;
  const lane = async () => {
    while (!over && next < range.end) {
      const n = next;
      next += range.step;
      const result = await runSchedule({ seed: seedOf(range.runSeed, n), switches: range.switches });
      count(part, result);
      if (result.breach !== null) {
        over = true;
        if (part.broken === null || n < part.broken.n) part.broken = { n, seed: result.seed };
      }
      if (part.schedules < REPORT_EVERY) continue;
      report(part);
      part = { ...emptyTally(), broken: part.broken };
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  report(part);
}

function count(tally: Tally, result: ScheduleResult): void {
  tally.schedules += 1;
  tally.events += result.events;
  tally.sagas += result.sagas;
  tally.simulatedMs += result.endedAtMs;
  for (const [state, n] of Object.entries(result.ended)) tally.ended[state] = (tally.ended[state] ?? 0) + n;
  for (const fault of result.struck) {
    const kind = fault.slice(0, fault.indexOf(':'));
    tally.faults[kind] = (tally.faults[kind] ?? 0) + 1;
  }
}

/** Adds `part` to `sum`. */
export function add(sum: Tally, part: Tally): void {
  for (const name of ['schedules', 'events', 'sagas', 'simulatedMs'] as const) sum[name] += part[name];
  for (const name of ['ended', 'faults'] as const) {
    for (const [key, n] of Object.entries(part[name])) sum[name][key] = (sum[name][key] ?? 0) + n;
  }
  if (part.broken !== null && (sum.broken === null || part.broken.n < sum.broken.n)) sum.broken = part.broken;
}

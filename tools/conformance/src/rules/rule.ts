import { writeFileSync } from 'node:fs';
import { afterAll, it } from 'vitest';
import type { Target } from '../target.ts';
import { NotSeen } from './not-seen.ts';

export interface Line {
  id: string;
  promise: string;
  result: 'held' | 'broken' | 'not seen';
  note: string;
}

const RULE_TIMEOUT_MS = 60_000;
const lines: Line[] = [];
const order: string[] = [];

/**
 * One rule of the catalogue, as one test. `see` returns a note for the table, where there is something to say.
 * @param target gives the system once it is up
 */
export function rule(
  id: string,
  promise: string,
  target: () => Target,
  see: (target: Target) => Promise<unknown>,
): void {
  order.push(id);
  it(`${id}: ${promise}`, { timeout: RULE_TIMEOUT_MS }, async (context) => {
    const record = (result: Line['result'], note: string) => lines.push({ id, promise, result, note });
    try {
      const note = await see(target());
      record('held', typeof note === 'string' ? note : '');
    } catch (error) {
      const isUnseen = error instanceof NotSeen;
      record(isUnseen ? 'not seen' : 'broken', (error as Error).message.split('\n')[0] ?? '');
      // A system that was started for the kit has all that a rule needs.
      if (isUnseen && !target().isOurs) context.skip((error as Error).message);
      // What this rule has killed or slowed down must not break the next ones; that it is broken is told all the same.
      await target()
        .calmDown()
        .catch((fault: Error) => console.error(`after ${id}: ${fault.message}`));
      throw error;
    }
  });
}

/** Prints what became of every rule, after the last one; `HOLDFAST_CONFORMANCE_REPORT` names a file for it as JSON. */
export function printTable(): void {
  afterAll(() => {
    const rows = order.map((id) => lines.find((line) => line.id === id) ?? notRun(id));
    const width = Math.max(...rows.map(({ promise }) => promise.length));
    const table = rows.map(
      ({ id, promise, result, note }) => `  ${id.padEnd(4)} ${promise.padEnd(width)}  ${result}${note && `: ${note}`}`,
    );
    const held = rows.filter(({ result }) => result === 'held').length;
    console.log(`\n${table.join('\n')}\n\n  ${held} of ${rows.length} rules held\n`);
    const report = process.env.HOLDFAST_CONFORMANCE_REPORT;
    if (report !== undefined) writeFileSync(report, JSON.stringify(rows));
  });
}

function notRun(id: string): Line {
  return { id, promise: '', result: 'not seen', note: 'not run' };
}

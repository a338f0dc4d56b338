/*
 * The auditor as a continuous check of a system that works. Each round reads everything, without a lock, one snapshot per
 * database, and judges orders that had ended when it began. What it finds wrong is looked for once more, at once: only
 * what is wrong in two rounds that follow one another is a violation. What was in flight between two databases is not
 * there any more by then, whereas what is really wrong stays wrong, since ended orders do not change.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditReport } from '@holdfast/testing/audit';

export interface WatchOptions {
  /** One round. When it throws, that is told, and the next round comes in its time. */
  audit: () => Promise<AuditReport>;
  /** From the end of one round to the start of the next. */
  everyMs: number;
  /** How long what is in flight has to arrive before a suspicion is looked at again. */
  lookAgainMs: number;
  /** Ends the watch between two rounds. */
  signal: AbortSignal;
  /** One line per round. */
  log: (line: string) => void;
}

export type WatchEnd =
  | { kind: 'violation'; report: AuditReport }
  /** Aborted. `rounds`: how many were done, `failed`: how many could not be. */
  | { kind: 'stopped'; rounds: number; failed: number };

/** Watches until a violation is certain or `signal` aborts. */
export async function watchBooks(options: WatchOptions): Promise<WatchEnd> {
  const { everyMs, lookAgainMs, signal, log } = options;
  let suspects: ReadonlySet<string> = new Set();
  let [rounds, failed] = [0, 0];
  while (!signal.aborted) {
    const report = await options.audit().catch((error: Error) => error);
    if (report instanceof Error) {
      failed += 1;
      log(`not audited, trying again: ${report.message}`);
    } else {
      rounds += 1;
      const found = subjectsOf(report);
      const certain = [...found].filter((subject) => suspects.has(subject));
      log(lineOf(rounds, report, found.size));
      if (certain.length > 0) return { kind: 'violation', report };
      suspects = found;
    }
    await delay(suspects.size > 0 ? lookAgainMs : everyMs, undefined, { signal }).catch(() => undefined);
  }
  return { kind: 'stopped', rounds, failed };
}

/** By check and subject: amounts in a detail go on changing on a system that works. */
function subjectsOf({ checks }: AuditReport): ReadonlySet<string> {
  return new Set(checks.flatMap(({ name, examples }) => examples.map(({ subject }) => `${name} ${subject}`)));
}

function lineOf(round: number, { orders, violations, tookMs }: AuditReport, suspects: number): string {
  const count = (figure: number) => figure.toLocaleString('en-US');
  const ended = orders.completed + orders.failed + orders.cancelled;
  const state = violations === 0 ? 'right' : `${suspects} suspected, looking again`;
  return (
    `round ${round}: ${count(ended)} ended, ${count(orders.running)} under way, ${count(orders.parked)} parked: ` +
    `${state} (${count(tookMs)} ms)`
  );
}

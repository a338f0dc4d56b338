import { auditTable } from '@holdfast/auditor';
import type { AuditReport } from '@holdfast/testing/audit';
import type { FaultCounts } from './chaos.ts';
import type { Progress } from './progress.ts';

export interface RunResult {
  progress: Progress;
  audit: AuditReport;
  faults: FaultCounts;
  /** What was done to the services: `kill -9`. */
  strikes: string;
  /** Orders in the order book; every key that was answered must have exactly one. */
  booked: number;
  answered: number;
  /** Still `processing` or `compensating` when waiting for them was given up. */
  unfinished: string[];
}

/** What no run may end with; empty when all is well. */
export function findings({ progress, audit, booked, answered, unfinished }: RunResult): string[] {
  const found = progress.complaints.slice();
  if (audit.violations > 0) found.push(`the auditor found ${audit.violations} violations of A1`);
  if (booked !== answered) found.push(`${answered} keys were answered with an order, the order book has ${booked}`);
  for (const id of unfinished) found.push(`order ${id} has not ended`);
  return found;
}

/** The report as lines of text. */
export function reportLines(result: RunResult, width: number): string[] {
  const { progress, audit } = result;
  const seconds = (progress.lastEndAtMs - progress.startedAtMs) / 1_000;
  const afterKill =
    progress.lastKillAtMs === undefined ? undefined : (progress.lastEndAtMs - progress.lastKillAtMs) / 1_000;
  return [
    `orders     ${listed(progress.ended)}`,
    `refused    ${listed(progress.reasons) || 'none'}`,
    `refunded   ${progress.refunds} completed orders, wholly or in part`,
    `customers  ${customersLine(progress.customers)}`,
    `rate       ${(progress.endedCount / seconds).toFixed(0)} orders/s over ${seconds.toFixed(1)} s; ` +
      `to the end p50 ${quantile(progress.endedAfterMs, 0.5)} ms, p99 ${quantile(progress.endedAfterMs, 0.99)} ms`,
    `${result.strikes.padEnd(10)} ${progress.killCount}: ${listed(progress.kills) || 'none'}; ${progress.retries} requests sent again`,
    `provider   ${faultLine(result.faults.payments)}`,
    `carrier    ${faultLine(result.faults.carrier)}`,
    ...(afterKill === undefined
      ? []
      : [`           all orders had ended ${afterKill.toFixed(1)} s after the last ${result.strikes}`]),
    '',
    ...auditTable(audit, width),
  ];
}

function listed(counts: Map<string, number>): string {
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function customersLine(customers: Map<string, number>): string {
  const count = (how: string) => customers.get(how) ?? 0;
  return `${count('confirms')} confirmed a payment, ${count('fails')} failed to, ${count('leaves')} left`;
}

function faultLine(counts: Record<string, number>): string {
  const { lostAnswer = 0, slow = 0, error500 = 0, refused = 0 } = counts;
  return `${lostAnswer} answers lost after the effect, ${error500} errors (500), ${slow} slow, ${refused} refused at random`;
}

function quantile(values: number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return (sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0).toFixed(0);
}

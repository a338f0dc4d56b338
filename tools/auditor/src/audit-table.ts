import type { AuditCheck, AuditReport } from '@holdfast/testing/audit';

const HEAD = ['', 'check', 'looked at', 'violations', 'what is compared'] as const;
/** The counts stand right-aligned. */
const RIGHT = new Set([2, 3]);
const NARROWEST_TEXT = 20;

/**
 * The report as lines of text: the table of checks, the violations with what they are about, the sums.
 * @param width columns of the terminal; what is compared is cut where it does not fit
 */
export function auditTable(report: AuditReport, width = 120): string[] {
  const rows = report.checks.map((check) => [
    check.violations === 0 ? '✔' : '✘',
    check.name,
    count(check.looked),
    count(check.violations),
    check.compares,
  ]);
  const { completed, failed, cancelled, parked, running } = report.orders;
  const total = completed + failed + cancelled + parked + running;
  const { fulfilled, unfulfilled } = report.dispatched;
  const held = unfulfilled > 0 ? `, ${count(unfulfilled)} whose stock is still held` : '';
  const waiting = parked > 0 ? `, ${count(parked)} parked (waiting for an operator)` : '';
  const open = running > 0 ? `, ${count(running)} not ended` : '';
  return [
    ...aligned([[...HEAD], ...rows], width),
    '',
    `${count(total)} orders: ${count(completed)} completed, ${count(failed)} failed, ${count(cancelled)} cancelled${waiting}${open}`,
    ...(fulfilled + unfulfilled > 0 ? [`${count(fulfilled + unfulfilled)} dispatched${held}`] : []),
    ...report.money.map(
      ({ currency, completed: cost, refunded, accounts, provider }) =>
        `${currency}: completed orders cost ${money(cost)}, ${money(refunded)} of it given back; taken: ${money(accounts + provider)} ` +
        `(accounts ${money(accounts)}, card provider ${money(provider)})`,
    ),
    ...report.checks.flatMap(violationLines),
  ];
}

function violationLines(check: AuditCheck): string[] {
  if (check.violations === 0) return [];
  const shown = check.examples.map(({ subject, detail }) => `  ${subject}: ${detail}`);
  const more = check.violations - check.examples.length;
  return ['', `✘ ${check.name}`, ...shown, ...(more > 0 ? [`  and ${count(more)} more`] : [])];
}

function aligned(rows: string[][], width: number): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const fixed = widths.slice(0, -1).reduce((sum, column) => sum + column + 2, 0);
  const rest = Math.max(width - fixed, NARROWEST_TEXT);
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      if (column === HEAD.length - 1) return cell.length > rest ? `${cell.slice(0, rest - 1)}…` : cell;
      return RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
    });
    return cells.join('  ').trimEnd();
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Minor units, as they are stored. */
const money = count;

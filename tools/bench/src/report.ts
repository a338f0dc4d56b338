import type { BenchOptions } from './arguments.ts';
import { soakLines, storageLines } from './growth-report.ts';
import type { Machine } from './machine.ts';
import type { Run } from './run-scenario.ts';
import type { Scenario } from './scenarios.ts';
import type { Soak } from './soak.ts';
import type { Storage } from './storage.ts';

/** Everything that was measured; what `--json` writes. */
export interface Results {
  measuredAt: string;
  revision: string;
  /** What `runs` of the other revision are compared with; null without `--against`. */
  against: string | null;
  machine: Machine;
  options: BenchOptions;
  runs: Run[];
  otherRuns: Run[];
  /** Of an empty system, between the runs of the grown one. */
  emptyRuns: Run[];
  storage: Storage[];
  soak: Soak | null;
}

/** A scenario's medians over its runs. */
export interface Line {
  scenario: Scenario;
  runs: Run[];
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  cpuUs: Record<string, number>;
  postgresUs: Record<string, number>;
  commits: number;
  fsyncs: number;
  walBytes: number;
  fullPages: number;
  residentMb: Record<string, number>;
  failed: number;
  /** To the scenarios of `over`, to the other revision, and to the empty system. */
  ratios: { to: string; ratio: number }[];
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return Number.NaN;
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

export function linesOf(results: Results, scenarios: readonly Scenario[]): Line[] {
  return scenarios.flatMap((scenario) => {
    const runs = results.runs.filter((run) => run.scenario === scenario.name);
    return runs.length === 0 ? [] : [lineOf(results, scenario, runs)];
  });
}

function lineOf(results: Results, scenario: Scenario, runs: Run[]): Line {
  const perSecond = median(runs.map((run) => run.perSecond));
  const rateOf = (from: Run[], name: string) =>
    median(from.filter((run) => run.scenario === name).map((run) => run.perSecond));
  const ratios = (scenario.over ?? []).map((name) => ({ to: name, ratio: perSecond / rateOf(results.runs, name) }));
  if (results.against !== null) {
    ratios.push({ to: results.against, ratio: perSecond / rateOf(results.otherRuns, scenario.name) });
  }
  if (results.emptyRuns.length > 0) {
    ratios.push({ to: 'empty', ratio: perSecond / rateOf(results.emptyRuns, scenario.name) });
  }
  return {
    scenario,
    runs,
    perSecond,
    p50Ms: median(runs.map((run) => run.p50Ms)),
    p95Ms: median(runs.map((run) => run.p95Ms)),
    p99Ms: median(runs.map((run) => run.p99Ms)),
    cpuUs: mediansBy(runs.map((run) => run.cpuUs)),
    postgresUs: mediansBy(runs.map((run) => run.postgresUs)),
    commits: median(runs.map((run) => run.commits)),
    fsyncs: median(runs.map((run) => run.fsyncs)),
    walBytes: median(runs.map((run) => run.walBytes)),
    fullPages: median(runs.map((run) => run.fullPages)),
    residentMb: mediansBy(runs.map((run) => run.residentMb)),
    failed: runs.reduce((sum, run) => sum + run.failed, 0),
    ratios: ratios.filter(({ ratio }) => Number.isFinite(ratio)),
  };
}

function mediansBy(records: Record<string, number>[]): Record<string, number> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(names.map((name) => [name, median(records.map((record) => record[name] ?? 0))]));
}

/** The same scenarios on an empty system, where a grown one was measured. */
export function emptyLinesOf(results: Results, scenarios: readonly Scenario[]): Line[] {
  return linesOf({ ...results, runs: results.emptyRuns, emptyRuns: [], against: null }, scenarios);
}

const HEADINGS = [
  'scenario',
  'a second',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'CPU µs',
  'commits',
  'fsyncs',
  'WAL B',
  'pages',
  'ratios',
];

/** The results as lines of text. */
export function reportLines(results: Results, lines: Line[], emptyLines: Line[] = []): string[] {
  const { machine, options } = results;
  const emptyOf = ({ scenario }: Line) => emptyLines.filter((line) => line.scenario === scenario);
  return [
    `${machine.cores} × ${machine.model}, ${machine.memoryGb} GB, Node ${machine.node}; load ${machine.loadBefore.toFixed(1)} before; ` +
      `a core hashes ${machine.hashMbPerSecond} MB/s`,
    `${options.seconds} s each after ${options.warmUpSeconds} s of warm-up, medians of ${options.repeats}; fsync and synchronous_commit on`,
    ...growthLines(options),
    '',
    row(HEADINGS),
    ...lines.flatMap((line) => [
      figuresOf(line, line.scenario.name),
      ...emptyOf(line).map((empty) => figuresOf(empty, '  empty')),
    ]),
    '',
    'CPU µs an order, by process:',
    ...lines.flatMap((line) => [
      cpuLine(line, line.scenario.name),
      ...emptyOf(line).map((empty) => cpuLine(empty, '  empty')),
    ]),
    ...[...lines, ...emptyLines]
      .filter(({ failed }) => failed > 0)
      .map((line) => `✘ ${line.scenario.name}: ${failuresOf(line)}`),
    ...storageLines(results.storage),
    ...soakLines(results.soak),
  ];
}

function growthLines({ grown, parked, agedHours, database }: BenchOptions): string[] {
  const settings = Object.entries(database).map(([name, value]) => `${name} = ${value}`);
  return [
    ...(grown + parked === 0
      ? []
      : [`after ${grown} finished and ${parked} parked orders of ${agedHours} h; an empty system beside it, in turns`]),
    ...(settings.length === 0 ? [] : [`Postgres with ${settings.join(', ')}`]),
  ];
}

function figuresOf(line: Line, name: string): string {
  return row([
    name,
    line.perSecond.toFixed(0),
    line.p50Ms.toFixed(1),
    line.p95Ms.toFixed(1),
    line.p99Ms.toFixed(1),
    totalCpu(line).toFixed(0),
    line.commits.toFixed(2),
    line.fsyncs.toFixed(2),
    line.walBytes.toFixed(0),
    line.fullPages.toFixed(1),
    line.ratios.map(({ to, ratio }) => `${ratio.toFixed(2)} × ${to}`).join(', '),
  ]);
}

export function totalCpu({ cpuUs }: Line): number {
  return Object.values(cpuUs).reduce((sum, us) => sum + us, 0);
}

function cpuLine({ cpuUs, postgresUs }: Line, name: string): string {
  const list = (used: Record<string, number>, least: number) =>
    Object.entries(used)
      .filter(([, us]) => us >= least)
      .map(([process, us]) => `${process} ${us.toFixed(0)}`)
      .join(', ');
  return `  ${name.padEnd(15)} ${list(cpuUs, 0)} (${list(postgresUs, 5)})`;
}

function failuresOf({ failed, runs }: Line): string {
  return `${failed} requests failed, the first with: ${runs.find((run) => run.firstFailure !== null)?.firstFailure}`;
}

const WIDTHS = [15, 9, 8, 8, 8, 8, 8, 7, 7, 6];

function row(cells: string[]): string {
  return cells
    .map((cell, at) =>
      at === 0 || at >= WIDTHS.length ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0),
    )
    .join(' ')
    .trimEnd();
}

/** `npm run bench`: how many orders a second, how long each takes, and what it costs; see BENCH_USAGE. */
import { writeFileSync } from 'node:fs';
import type { Overrides } from '@holdfast/cluster';
import { BENCH_USAGE, type BenchOptions, parseBenchArguments } from './arguments.ts';
import { BenchSystem } from './bench-system.ts';
import { checkOut, currentRevision, poolerAndDirect, type Revision, thisRevision } from './compare.ts';
import { type Run, runScenario } from './load/run-scenario.ts';
import { SCENARIOS, type Scenario } from './load/scenarios.ts';
import { soak } from './load/soak.ts';
import { htmlReport } from './report/html.ts';
import { describeMachine } from './report/machine.ts';
import { emptyLinesOf, linesOf, median, type Results, reportLines } from './report/report.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
// Without a measured maximum to take it from.
const DEFAULT_PACE = 200;
const OWN_SHIPMENTS: Overrides = { shipping: { CARRIER_URL: undefined } };

// Progress goes to standard error, so that the report can be kept.
const say = (line: string) => console.error(line);
const parsed = parseBenchArguments(process.argv.slice(2));
if (parsed.kind === 'help') {
  console.log(BENCH_USAGE);
} else if (parsed.kind === 'wrong') {
  console.error(`${parsed.message}\n\n${BENCH_USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exitCode = await bench(parsed.options);
}

/** @returns the exit code */
async function bench(options: BenchOptions): Promise<number> {
  const results: Results = {
    measuredAt: new Date().toISOString(),
    revision: currentRevision(),
    against: options.pooler ? 'direct' : options.against,
    machine: describeMachine(),
    options,
    runs: [],
    otherRuns: [],
    emptyRuns: [],
    storage: [],
    soak: null,
  };
  if (options.pooler) await measurePooled(results);
  else if (options.against === null) await measureAlone(results);
  else await measureAgainst(options.against, results);
  return report(results);
}

async function measureAlone(results: Results): Promise<void> {
  const systems = systemsOf(results.options);
  endWithSignal(systems);
  try {
    await measureAll(systems, results);
  } finally {
    for (const system of systems) await system.remove();
  }
  results.storage = systems.flatMap(({ storage }) => storage);
}

async function measureAgainst(revision: string, results: Results): Promise<void> {
  const other = checkOut(revision, say);
  try {
    await measureBoth(thisRevision(results.options), other, results);
  } finally {
    other.remove();
  }
}

async function measurePooled(results: Results): Promise<void> {
  const { pooled, direct } = poolerAndDirect(results.options);
  await measureBoth(pooled, direct, results);
}

/** Each scenario in both, by turns; the one that comes second finds the machine warmer, so they take turns. */
async function measureBoth(measured: Revision, other: Revision, results: Results): Promise<void> {
  const { only, repeats, seed } = results.options;
  const ours = { revision: measured, runs: results.runs };
  const theirs = { revision: other, runs: results.otherRuns };
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const name of only) {
      for (const { revision, runs } of repeat % 2 === 1 ? [ours, theirs] : [theirs, ours]) {
        const run = await revision.run(name, { ...results.options, seed: seed + repeat });
        runs.push(run);
        say(`${repeat}/${repeats} ${summaryOf(run)} (${revision.name})`);
      }
    }
  }
}

/** Ctrl-C: what has been started ends with us, and what may be many gigabytes goes. */
function endWithSignal(systems: BenchSystem[]): void {
  for (const [signal, number] of [['SIGINT', 2] as const, ['SIGTERM', 15] as const]) {
    process.once(signal, () => {
      // After the handlers that end the processes.
      process.once('exit', () => {
        for (const system of systems) system.removeNow();
      });
      process.exit(128 + number);
    });
  }
}

/** The one that is measured; beside a grown one, an empty one to compare it with, set up in the same way. */
function systemsOf(options: BenchOptions): BenchSystem[] {
  const { grown, parked, agedHours } = options;
  if (grown + parked === 0) return [new BenchSystem('this', null, options, say)];
  const spanMs = agedHours * 3_600_000;
  return [
    new BenchSystem('grown', { orders: grown, parked, spanMs }, options, say),
    new BenchSystem('empty', { orders: 0, parked: 0, spanMs }, options, say),
  ];
}

async function measureAll(systems: BenchSystem[], results: Results): Promise<void> {
  const { only, soakMinutes, seed, randomKeys } = results.options;
  const scenarios = SCENARIOS.filter(({ name }) => only.includes(name));
  const [measured] = systems;
  const withoutCarrier = scenarios.filter(({ carrier }) => !carrier);
  if (withoutCarrier.length > 0 || soakMinutes !== null) {
    await withOpen(systems, OWN_SHIPMENTS, async () => {
      await measure(withoutCarrier, systems, results);
      for (const system of systems) await system.measureStorage('the runs');
      if (soakMinutes !== null && measured !== undefined)
        results.soak = await soak(measured.cluster, { minutes: soakMinutes, seed, randomKeys, say });
    });
  }
  const withCarrier = scenarios.filter(({ carrier }) => carrier);
  if (withCarrier.length > 0) await withOpen(systems, {}, () => measure(withCarrier, systems, results));
}

async function withOpen(systems: BenchSystem[], env: Overrides, work: () => Promise<void>): Promise<void> {
  try {
    for (const system of systems) await system.open(env);
    await work();
  } finally {
    for (const system of systems) await system.close();
  }
}

/** Runs scenarios, all of them once, then all of them again: what the machine does meanwhile meets each. */
async function measure(scenarios: Scenario[], systems: BenchSystem[], results: Results): Promise<void> {
  const { options } = results;
  for (let repeat = 1; repeat <= options.repeats; repeat++) {
    for (const scenario of scenarios) {
      // Who comes second finds the machine warmer, so they take turns.
      for (const system of repeat % 2 === 1 ? systems : systems.toReversed()) {
        const runs = system === systems[0] ? results.runs : results.emptyRuns;
        runs.push(await oneRun(system, scenario, repeat, results));
      }
    }
  }
}

function report(results: Results): number {
  const { json, html } = results.options;
  const lines = linesOf(results, SCENARIOS);
  const emptyLines = emptyLinesOf(results, SCENARIOS);
  for (const line of reportLines(results, lines, emptyLines)) console.log(line);
  if (json !== null) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  if (html !== null) writeFileSync(html, htmlReport(results, lines));
  const failed = (results.soak?.failed ?? 0) + [...lines, ...emptyLines].reduce((sum, line) => sum + line.failed, 0);
  return failed > 0 ? 1 : 0;
}

async function oneRun(
  { name, cluster }: BenchSystem,
  scenario: Scenario,
  repeat: number,
  { options, runs }: Results,
): Promise<Run> {
  // A seed of its own for each run: orders are new ones every time.
  const pacing = { ...options, seed: options.seed + repeat, perSecond: paceOf(scenario, runs) };
  const run = await runScenario(cluster, scenario, pacing);
  say(`${repeat}/${options.repeats} ${summaryOf(run)}${name === 'empty' ? ', empty' : ''}`);
  return run;
}

function summaryOf({ scenario, perSecond, p50Ms, p99Ms, failed, firstFailure }: Run): string {
  const failures = failed === 0 ? '' : `, ${failed} failed: ${firstFailure}`;
  return `${scenario}: ${perSecond.toFixed(0)} a second, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms${failures}`;
}

function paceOf({ pace }: Scenario, runs: Run[]): number {
  if (pace === undefined) return 0;
  const most = median(runs.filter(({ scenario }) => scenario === pace.of).map(({ perSecond }) => perSecond));
  return Number.isNaN(most) ? DEFAULT_PACE : most * pace.share;
}

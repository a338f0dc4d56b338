/** `npm run bench`: how many orders a second, how long each takes, and what it costs; see BENCH_USAGE. */
import { writeFileSync } from 'node:fs';
import type { Overrides } from '@holdfast/cluster';
import { BENCH_USAGE, type BenchOptions, parseBenchArguments } from './arguments.ts';
import { BenchSystem } from './bench-system.ts';
import { checkOut, currentRevision, type OtherRevision } from './compare.ts';
import { htmlReport } from './html.ts';
import { describeMachine } from './machine.ts';
import { emptyLinesOf, linesOf, median, type Results, reportLines } from './report.ts';
import { type Run, runScenario } from './run-scenario.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { soak } from './soak.ts';

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
  const other = options.against === null ? undefined : checkOut(options.against, say);
  const results: Results = {
    measuredAt: new Date().toISOString(),
    revision: currentRevision(),
    against: options.against,
    machine: describeMachine(),
    options,
    runs: [],
    otherRuns: [],
    emptyRuns: [],
    storage: [],
    soak: null,
  };
  const systems = systemsOf(options);
  endWithSignal(systems);
  try {
    await measureAll(systems, results, other);
  } finally {
    other?.remove();
    for (const system of systems) await system.remove();
  }
  results.storage = systems.flatMap(({ storage }) => storage);
  return report(results);
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

async function measureAll(systems: BenchSystem[], results: Results, other: OtherRevision | undefined): Promise<void> {
  const { only, soakMinutes, seed, randomKeys } = results.options;
  const scenarios = SCENARIOS.filter(({ name }) => only.includes(name));
  const [measured] = systems;
  const withoutCarrier = scenarios.filter(({ carrier }) => !carrier);
  if (withoutCarrier.length > 0 || soakMinutes !== null) {
    await withOpen(systems, OWN_SHIPMENTS, async () => {
      await measure(withoutCarrier, systems, results, other);
      for (const system of systems) await system.measureStorage('the runs');
      if (soakMinutes !== null && measured !== undefined)
        results.soak = await soak(measured.cluster, { minutes: soakMinutes, seed, randomKeys, say });
    });
  }
  const withCarrier = scenarios.filter(({ carrier }) => carrier);
  if (withCarrier.length > 0) await withOpen(systems, {}, () => measure(withCarrier, systems, results, other));
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
async function measure(
  scenarios: Scenario[],
  systems: BenchSystem[],
  results: Results,
  other: OtherRevision | undefined,
): Promise<void> {
  const { options } = results;
  for (let repeat = 1; repeat <= options.repeats; repeat++) {
    for (const scenario of scenarios) {
      // Who comes second finds the machine warmer, so they take turns.
      for (const system of repeat % 2 === 1 ? systems : systems.toReversed()) {
        const runs = system === systems[0] ? results.runs : results.emptyRuns;
        runs.push(await oneRun(system, scenario, repeat, results));
      }
      if (other === undefined) continue;
      say(`  ${scenario.name} in ${other.name}`);
      results.otherRuns.push(await other.run(scenario.name, { ...options, seed: options.seed + repeat }));
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
  const failed = run.failed === 0 ? '' : `, ${run.failed} failed: ${run.firstFailure}`;
  say(
    `${repeat}/${options.repeats} ${scenario.name}${name === 'empty' ? ', empty' : ''}: ${run.perSecond.toFixed(0)} a second, ` +
      `p50 ${run.p50Ms.toFixed(1)} ms, p99 ${run.p99Ms.toFixed(1)} ms${failed}`,
  );
  return run;
}

function paceOf({ pace }: Scenario, runs: Run[]): number {
  if (pace === undefined) return 0;
  const most = median(runs.filter(({ scenario }) => scenario === pace.of).map(({ perSecond }) => perSecond));
  return Number.isNaN(most) ? DEFAULT_PACE : most * pace.share;
}

/** `npm run bench`: how many orders a second, how long each takes, and what it costs; see BENCH_USAGE. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Cluster, type Overrides, startCluster } from '@holdfast/testkit';
import { BENCH_USAGE, type BenchOptions, parseBenchArguments } from './arguments.ts';
import { checkOut, currentRevision, type OtherRevision } from './compare.ts';
import { htmlReport } from './html.ts';
import { describeMachine } from './machine.ts';
import { linesOf, median, type Results, reportLines } from './report.ts';
import { type Run, runScenario } from './run-scenario.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { stockUp } from './shop.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
// Without a measured maximum to take it from.
const DEFAULT_PACE = 200;

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
  };
  try {
    const scenarios = SCENARIOS.filter(({ name }) => options.only.includes(name));
    await measure(
      scenarios.filter(({ carrier }) => !carrier),
      { shipping: { CARRIER_URL: undefined } },
      results,
      other,
    );
    await measure(
      scenarios.filter(({ carrier }) => carrier),
      {},
      results,
      other,
    );
  } finally {
    other?.remove();
  }
  const lines = linesOf(results, SCENARIOS);
  for (const line of reportLines(results, lines)) console.log(line);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.html !== null) writeFileSync(options.html, htmlReport(results, lines));
  return lines.some(({ failed }) => failed > 0) ? 1 : 0;
}

/** Runs scenarios on one system, all of them once, then all of them again: what the machine does meanwhile meets each. */
async function measure(
  scenarios: Scenario[],
  env: Overrides,
  results: Results,
  other: OtherRevision | undefined,
): Promise<void> {
  if (scenarios.length === 0) return;
  const { options } = results;
  const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  // Postgres, which root has to run as another user, would keep its data elsewhere otherwise, and leave it there.
  chmodSync(stateDir, 0o755);
  const cluster = await startCluster({
    stateDir,
    clean: true,
    httpPort: 0,
    env: withProfiles(env, options.profiles),
    say,
  });
  try {
    await stockUp(cluster);
    for (let repeat = 1; repeat <= options.repeats; repeat++) {
      for (const scenario of scenarios) {
        results.runs.push(await oneRun(cluster, scenario, repeat, results));
        if (other === undefined) continue;
        say(`  ${scenario.name} in ${other.name}`);
        results.otherRuns.push(await other.run(scenario.name, { ...options, seed: options.seed + repeat }));
      }
    }
  } finally {
    await cluster.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function oneRun(cluster: Cluster, scenario: Scenario, repeat: number, { options, runs }: Results): Promise<Run> {
  // A seed of its own for each run: orders are new ones every time.
  const pacing = { ...options, seed: options.seed + repeat, perSecond: paceOf(scenario, runs) };
  const run = await runScenario(cluster, scenario, pacing);
  const failed = run.failed === 0 ? '' : `, ${run.failed} failed: ${run.firstFailure}`;
  say(
    `${repeat}/${options.repeats} ${scenario.name}: ${run.perSecond.toFixed(0)} a second, ` +
      `p50 ${run.p50Ms.toFixed(1)} ms, p99 ${run.p99Ms.toFixed(1)} ms${failed}`,
  );
  return run;
}

function paceOf({ pace }: Scenario, runs: Run[]): number {
  if (pace === undefined) return 0;
  const most = median(runs.filter(({ scenario }) => scenario === pace.of).map(({ perSecond }) => perSecond));
  return Number.isNaN(most) ? DEFAULT_PACE : most * pace.share;
}

function withProfiles(env: Overrides, folder: string | null): Overrides {
  if (folder === null) return env;
  mkdirSync(folder, { recursive: true });
  const NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${resolve(folder)}`;
  const names = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const;
  return Object.fromEntries(names.map((name) => [name, { ...env[name], NODE_OPTIONS }]));
}

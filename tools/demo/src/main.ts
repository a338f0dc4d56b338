/** `npm run demo`: the whole system, real orders, real kills; and at the end, do the books add up? */
import { booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { DEMO_USAGE, type DemoOptions, parseDemoArguments } from './arguments.ts';
import { EXIT_INTERRUPTED, onInterrupt } from './interrupt.ts';
import { findings, reportLines } from './report.ts';
import { runLoad, type Target } from './run-load.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const LEASE_MS = 2_000;
const PAYMENT_WINDOW_MS = 5_000;

const say = (line = '') => console.log(line);
const parsed = parseDemoArguments(process.argv.slice(2));
if (parsed.kind === 'help') {
  say(DEMO_USAGE);
} else if (parsed.kind === 'wrong') {
  console.error(`${parsed.message}\n\n${DEMO_USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exit(await demo(parsed.options));
}

/** @returns the exit code */
async function demo(options: DemoOptions): Promise<number> {
  const startedAtMs = performance.now();
  const interrupted = onInterrupt();
  say(`Holdfast demo: ${options.orders} orders, ${options.concurrency} customers at a time, seed ${options.seed}`);
  say('starting Postgres and five services …');
  let cluster: Cluster;
  try {
    cluster = await startCluster({
      clean: true,
      leaseMs: LEASE_MS,
      // Nobody waits a quarter of an hour for customers who have left.
      env: { payment: { PAYMENT_WINDOW_MS: String(PAYMENT_WINDOW_MS) } },
      say,
      signal: interrupted,
    });
  } catch (error) {
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    console.error(`could not start: ${(error as Error).message}`);
    return 1;
  }
  try {
    const result = await runLoad(targetOf(cluster), options, interrupted, say);
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    const found = findings(result);
    say();
    for (const line of reportLines(result, process.stdout.columns ?? 120)) say(line);
    say();
    for (const finding of found.slice(0, 20)) say(`✘ ${finding}`);
    say(verdict(found, options, (performance.now() - startedAtMs) / 1_000, cluster.stateDir));
    if (options.stay) await stayUp(cluster, interrupted);
    return found.length === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

function verdict(found: string[], options: DemoOptions, seconds: number, stateDir: string): string {
  if (found.length === 0)
    return `Nothing charged twice, nothing oversold, nothing lost. ${seconds.toFixed(0)} s in all.`;
  return [
    `${found.length} findings with seed ${options.seed}. All state is kept in ${stateDir}:`,
    '  npm run up      starts the system on it again',
    '  npm run audit   (in another terminal) checks the books again',
    `  ${stateDir}/logs holds what every process said`,
  ].join('\n');
}

function targetOf(cluster: Cluster): Target {
  return {
    http: cluster.run.http,
    apiKey: cluster.run.apiKey,
    runName: 'demo',
    books: booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox),
    sandbox: cluster.run.sandbox,
    endsUnconfirmed: true,
    chaos: {
      kind: 'kill -9',
      plural: 'kills',
      async strike(victim) {
        // Killed again before it is back, it would not have been running: wait for it, so that every kill meets a service.
        await cluster.untilServing(victim);
        return (await cluster.kill(victim)).kind === 'killed';
      },
    },
  };
}

async function stayUp(cluster: Cluster, interrupted: AbortSignal): Promise<void> {
  say(
    `\nThe system stays up at ${cluster.run.http} until Ctrl-C; ${cluster.stateDir}/run.json tells where everything is.`,
  );
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
}

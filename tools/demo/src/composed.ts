/**
 * The demo's load against a system that runs elsewhere, such as in containers: `docker compose --profile demo up`.
 * It can't kill what it can't reach; what it breaks is every connection of a service to its database, as a fail-over of
 * Postgres would. Exit codes: those of the demo; 78 wrong settings.
 */
import { createPool, type Pool, statement } from '@holdfast/postgres';
import { type Config, ConfigError, EXIT_BAD_CONFIG, EXIT_USAGE, loadConfig, text, url } from '@holdfast/service';
import { DEMO_USAGE, type DemoOptions, parseDemoArguments } from './arguments.ts';
import type { Victim } from './chaos.ts';
import { EXIT_INTERRUPTED, onInterrupt } from './interrupt.ts';
import { findings, reportLines } from './report.ts';
import { runLoad, type Target } from './run-load.ts';

const SETTINGS = {
  API_URL: url('http:', 'https:'),
  API_KEY: text('a key of the API'),
  SANDBOX_URL: url('http:', 'https:'),
  /** Of the server; the services' databases on it have their names. The role reads all of them. */
  AUDITOR_DATABASE_URL: url('postgres:', 'postgresql:'),
  /** A role that may end other roles' connections. */
  CHAOS_DATABASE_URL: url('postgres:', 'postgresql:'),
};

// In the list and not in the condition, whose parts the server evaluates in any order: it would end everybody's.
const CUT_OFF = statement(
  'demo.cut-off',
  `select count(*) filter (where pg_terminate_backend(pid))::int as "cut" from pg_stat_activity
    where datname = $1::text and usename = $1::text`,
);

/** A server that is slow to answer is still to be cut off; the services' own time-outs are what is tried out. */
const CHAOS_CONNECT_TIMEOUT_MS = 30_000;
const REPORT_COLUMNS = 140;
const say = (line = '') => console.log(line);
process.exit(await main());

/** @returns the exit code */
async function main(): Promise<number> {
  const parsed = parseDemoArguments(process.argv.slice(2));
  if (parsed.kind === 'help') {
    say(DEMO_USAGE);
    return 0;
  }
  if (parsed.kind === 'wrong' || parsed.options.stay) {
    const message = parsed.kind === 'wrong' ? parsed.message : '--stay: whoever started the system decides how long';
    console.error(`${message}\n\n${DEMO_USAGE}`);
    return EXIT_USAGE;
  }
  try {
    return await demo(loadConfig(SETTINGS, process.env), parsed.options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return EXIT_BAD_CONFIG;
  }
}

async function demo(settings: Config<typeof SETTINGS>, options: DemoOptions): Promise<number> {
  const interrupted = onInterrupt();
  const startedAtMs = performance.now();
  say(`Holdfast demo: ${options.orders} orders, ${options.concurrency} customers at a time, seed ${options.seed}`);
  const chaos = createPool({
    databaseUrl: settings.CHAOS_DATABASE_URL,
    applicationName: 'holdfast-demo',
    max: 1,
    connectTimeoutMs: CHAOS_CONNECT_TIMEOUT_MS,
  });
  try {
    const result = await runLoad(targetOf(settings, chaos), options, interrupted, say);
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    const found = findings(result);
    for (const line of ['', ...reportLines(result, process.stdout.columns ?? REPORT_COLUMNS), '']) say(line);
    for (const finding of found.slice(0, 20)) say(`✘ ${finding}`);
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
    say(
      found.length === 0
        ? `Nothing charged twice, nothing oversold, nothing lost. ${seconds} s in all.`
        : `${found.length} findings with seed ${options.seed}.`,
    );
    return found.length === 0 ? 0 : 1;
  } finally {
    await chaos.end();
  }
}

function targetOf(settings: Config<typeof SETTINGS>, chaos: Pool): Target {
  const databaseUrl = (name: string) => {
    const database = new URL(settings.AUDITOR_DATABASE_URL);
    database.pathname = `/${name}`;
    return database.href;
  };
  return {
    http: settings.API_URL,
    apiKey: settings.API_KEY,
    // The system may have been used before: another run with the same seed places the same orders under other keys.
    runName: `demo-${Date.now().toString(36)}`,
    sandbox: settings.SANDBOX_URL,
    // A quarter of an hour, where nobody has set it.
    endsUnconfirmed: false,
    books: {
      orchestrator: databaseUrl('orchestrator'),
      inventory: databaseUrl('inventory'),
      payment: databaseUrl('payment'),
      shipping: databaseUrl('shipping'),
      sandboxUrl: settings.SANDBOX_URL,
    },
    chaos: { kind: 'cut off', plural: 'services cut off', strike: (victim) => cutOff(chaos, victim) },
  };
}

/** Ends every connection of a service to its database, in the middle of whatever it does. */
async function cutOff(chaos: Pool, victim: Victim): Promise<boolean> {
  const { rows } = await chaos.query<{ cut: number }>({ ...CUT_OFF, values: [victim] });
  return (rows[0]?.cut ?? 0) > 0;
}

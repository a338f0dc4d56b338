import { parseArgs } from 'node:util';
import { SCENARIOS } from './load/scenarios.ts';

export interface BenchOptions {
  /** Names of scenarios, in the order of the list. */
  only: string[];
  /** Measured, of each run; warm-up comes before. */
  seconds: number;
  warmUpSeconds: number;
  repeats: number;
  seed: number;
  /** Files to write; null for none. */
  json: string | null;
  html: string | null;
  /** A revision to compare with, by turns; null for none. */
  against: string | null;
  /** Folder for V8's CPU profiles of every service; null for none. */
  profiles: string | null;
  /** Finished orders that the system has before it is measured, beside an empty one; 0 for none. */
  grown: number;
  /** Parked sagas that it has. */
  parked: number;
  /** Over how many hours, up to now, they have come. */
  agedHours: number;
  /** Keys that carry no time, and so random ids: of what is measured, and of what has grown. */
  randomKeys: boolean;
  /** Whether the services prove to each other who they are, as they do in production. */
  tls: boolean;
  /** Runs behind a PgBouncer in transaction mode, and by turns without it, to compare. */
  pooler: boolean;
  /** How long orders are placed while memory is looked at; null for not at all. */
  soakMinutes: number | null;
  /** Settings of the measured Postgres, over the usual ones. */
  database: Record<string, string>;
}

export type ParsedBench =
  | { kind: 'bench'; options: BenchOptions }
  | { kind: 'help' }
  | { kind: 'wrong'; message: string };

export const BENCH_USAGE = `npm run bench -- [options]: how fast, and what an order costs, on this machine

  --only a,b        scenarios by name (default: all)
  --seconds N       measured in each run, 1 to 3600 (default 10)
  --warm-up N       before each run, 0 to 600 (default 4)
  --repeats N       runs of each scenario, interleaved; medians are shown, 1 to 20 (default 3)
  --seed S          of the orders, 0 to 4294967295 (default 1)
  --json FILE       every figure of every run
  --html FILE       a page with plots that needs nothing else
  --against REV     the same scenarios in another revision of this repository, by turns, each run in new processes
  --profiles DIR    V8's CPU profiles of every service, written when the system stops (slows it down a little)
  --grown N         N finished orders first, 1 to 50000000; the same runs on an empty system beside it, in turns
  --parked N        N parked sagas first, 1 to 100000; likewise
  --aged-hours N    they were placed over the past N hours (default 1), and retention deals with what is past it, 1 to 2160
  --random-keys     keys without a time (UUIDv4), which make random ids, instead of those of our client (UUIDv7)
  --no-tls          the services speak in clear text, to see what mutual TLS costs
  --pooler          behind a PgBouncer in transaction mode, by turns with the same services directly at Postgres, each
                    run in new processes
  --soak MINUTES    256 clients for so long, with every process's memory each half minute, 1 to 1440; without --only,
                    no scenario
  --database N=V    a setting of Postgres, for all runs of this revision; may be repeated
  --help            shows this

Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
Exit codes: 0 measured; 1 something failed (said which); 64 wrong options`;

const MAX_SEED = 4_294_967_295;

const OPTIONS = {
  only: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  repeats: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  against: { type: 'string' },
  profiles: { type: 'string' },
  grown: { type: 'string' },
  parked: { type: 'string' },
  'aged-hours': { type: 'string' },
  'random-keys': { type: 'boolean', default: false },
  'no-tls': { type: 'boolean', default: false },
  pooler: { type: 'boolean', default: false },
  soak: { type: 'string' },
  database: { type: 'string', multiple: true },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** Reads the command line; what is wrong with it is said in a way that tells how to mend it. */
export function parseBenchArguments(args: string[]): ParsedBench {
  try {
    const { values } = parseArgs({ args, allowPositionals: false, options: OPTIONS });
    return values.help ? { kind: 'help' } : { kind: 'bench', options: optionsOf(values) };
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
}

/** @throws RangeError saying what is wrong */
function optionsOf(values: Values): BenchOptions {
  return {
    only: values.soak !== undefined && values.only === undefined ? [] : scenarioNames(values.only),
    seconds: wholeNumber('--seconds', values.seconds, 1, 3_600) ?? 10,
    warmUpSeconds: wholeNumber('--warm-up', values['warm-up'], 0, 600) ?? 4,
    repeats: wholeNumber('--repeats', values.repeats, 1, 20) ?? 3,
    seed: wholeNumber('--seed', values.seed, 0, MAX_SEED) ?? 1,
    json: values.json ?? null,
    html: values.html ?? null,
    against: values.against ?? null,
    profiles: values.profiles ?? null,
    ...growthOf(values),
    randomKeys: randomKeysOf(values),
    tls: !values['no-tls'],
    pooler: poolerOf(values),
    soakMinutes: wholeNumber('--soak', values.soak, 1, 1_440) ?? null,
    database: databaseSettings(values.database ?? []),
  };
}

function growthOf(values: Values): Pick<BenchOptions, 'grown' | 'parked' | 'agedHours'> {
  const grown = wholeNumber('--grown', values.grown, 1, 50_000_000) ?? 0;
  const parked = wholeNumber('--parked', values.parked, 1, 100_000) ?? 0;
  const agedHours = wholeNumber('--aged-hours', values['aged-hours'], 1, 2_160);
  if (agedHours !== undefined && grown + parked === 0)
    throw new RangeError('--aged-hours is for --grown or --parked: say how many orders have come in that time');
  if (values.against !== undefined && grown + parked > 0)
    throw new RangeError('--against runs the other revision on an empty system: leave --grown and --parked out');
  if (values.against !== undefined && values.soak !== undefined)
    throw new RangeError('--against compares scenarios: leave --soak out');
  return { grown, parked, agedHours: agedHours ?? 1 };
}

function randomKeysOf({ 'random-keys': random = false, against }: Values): boolean {
  if (random && against !== undefined)
    throw new RangeError('--against sends the other revision the keys that it knows: leave --random-keys out');
  return random;
}

function poolerOf({ pooler = false, against, soak, grown, parked }: Values): boolean {
  const others = { '--against': against, '--soak': soak, '--grown': grown, '--parked': parked };
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (pooler && other !== undefined)
    throw new RangeError(`--pooler compares with the direct way, on an empty system: leave ${other} out`);
  return pooler;
}

function scenarioNames(raw: string | undefined): string[] {
  const known = SCENARIOS.map(({ name }) => name);
  const wanted = raw?.split(',') ?? known;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new RangeError(`--only: there is no scenario ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return known.filter((name) => wanted.includes(name));
}

function databaseSettings(raw: string[]): Record<string, string> {
  return Object.fromEntries(
    raw.map((setting) => {
      const [, name, value] = /^([a-z_.]+)=(.+)$/.exec(setting) ?? [];
      if (name === undefined || value === undefined)
        throw new RangeError(`--database takes name=value, not ${setting}`);
      return [name, value];
    }),
  );
}

function wholeNumber(name: string, raw: string | undefined, min: number, max: number): number | undefined {
  if (raw === undefined) return undefined;
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max) {
    throw new RangeError(`${name} takes a whole number from ${min} to ${max}`);
  }
  return value;
}

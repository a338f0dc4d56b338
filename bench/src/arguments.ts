import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios.ts';

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
  /** A revision to compare with, its runs between ours; null for none. */
  against: string | null;
  /** Folder for V8's CPU profiles of every service; null for none. */
  profiles: string | null;
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
  --against REV     the same scenarios of another revision of this repository, its runs between ours
  --profiles DIR    V8's CPU profiles of every service, written when the system stops (slows it down a little)
  --help            shows this

Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
Exit codes: 0 measured; 1 something failed (said which); 64 wrong options`;

const MAX_SEED = 4_294_967_295;

/** Reads the command line; what is wrong with it is said in a way that tells how to mend it. */
export function parseBenchArguments(args: string[]): ParsedBench {
  try {
    const { values } = parseArgs({
      args,
      allowPositionals: false,
      options: {
        only: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        repeats: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        html: { type: 'string' },
        against: { type: 'string' },
        profiles: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    const options = {
      only: scenarioNames(values.only),
      seconds: wholeNumber('--seconds', values.seconds, 1, 3_600) ?? 10,
      warmUpSeconds: wholeNumber('--warm-up', values['warm-up'], 0, 600) ?? 4,
      repeats: wholeNumber('--repeats', values.repeats, 1, 20) ?? 3,
      seed: wholeNumber('--seed', values.seed, 0, MAX_SEED) ?? 1,
      json: values.json ?? null,
      html: values.html ?? null,
      against: values.against ?? null,
      profiles: values.profiles ?? null,
    };
    return { kind: 'bench', options };
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
}

function scenarioNames(raw: string | undefined): string[] {
  const known = SCENARIOS.map(({ name }) => name);
  const wanted = raw?.split(',') ?? known;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new RangeError(`--only: there is no scenario ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return known.filter((name) => wanted.includes(name));
}

function wholeNumber(name: string, raw: string | undefined, min: number, max: number): number | undefined {
  if (raw === undefined) return undefined;
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max) {
    throw new RangeError(`${name} takes a whole number from ${min} to ${max}`);
  }
  return value;
}

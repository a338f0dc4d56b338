import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  orders: number;
  /** Customers at the same time. */
  concurrency: number;
  faults: boolean;
  seed: number;
  /** Keep the system up after the report. */
  stay: boolean;
}

export type ParsedDemo = { kind: 'demo'; options: DemoOptions } | { kind: 'help' } | { kind: 'wrong'; message: string };

export const DEMO_USAGE = `npm run demo -- [options]: places real orders while services are killed, and checks the books at the end

  --orders N        how many orders, 1 to 1000000 (default 2000)
  --concurrency C   customers at the same time, 1 to 512 (default 32)
  --seed S          0 to 4294967295; the same seed places the same orders (default: a random one, printed)
  --no-faults       nothing is killed, and the card provider and the carrier work as they should
  --stay            the system stays up after the report, until Ctrl-C
  --help            shows this

Exit codes: 0 the books are right; 1 something is wrong, all state is kept; 64 wrong options; 130 interrupted`;

const MAX_SEED = 4_294_967_295;

/** Reads the command line; what is wrong with it is said in a way that tells how to mend it. */
export function parseDemoArguments(args: string[], drawSeed = () => randomInt(MAX_SEED + 1)): ParsedDemo {
  try {
    const { values } = parseArgs({
      args,
      allowPositionals: false,
      options: {
        orders: { type: 'string' },
        concurrency: { type: 'string' },
        seed: { type: 'string' },
        'no-faults': { type: 'boolean', default: false },
        stay: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    const options = {
      orders: wholeNumber('--orders', values.orders, 1, 1_000_000) ?? 2_000,
      concurrency: wholeNumber('--concurrency', values.concurrency, 1, 512) ?? 32,
      seed: wholeNumber('--seed', values.seed, 0, MAX_SEED) ?? drawSeed(),
      faults: !values['no-faults'],
      stay: values.stay,
    };
    return { kind: 'demo', options };
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
}

function wholeNumber(name: string, raw: string | undefined, min: number, max: number): number | undefined {
  if (raw === undefined) return undefined;
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max) {
    throw new RangeError(`${name} takes a whole number from ${min} to ${max}`);
  }
  return value;
}

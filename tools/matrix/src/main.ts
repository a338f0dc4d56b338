/** `npm run matrix`: every case, or a sample of them. */
import { parseArgs } from 'node:util';
import { matrix } from './cases.ts';
import { type CaseResult, LEASE_MS } from './run-matrix.ts';
import { sample } from './sample.ts';
import { runCases, startMatrices } from './side-by-side.ts';

const USAGE = 'npm run matrix -- [--sample N] [--seed S] [--only TEXT] [--from N] [--systems W]';
const EXIT_USAGE = 64;

// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = parse();
process.exitCode = options === undefined ? EXIT_USAGE : await run(options);

interface Options {
  sample: number;
  seed: number;
  only: string;
  from: number;
  systems: number;
}

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { sample: text, seed: text, only: text, from: text, systems: text } });
    const numbers = {
      sample: Number(values.sample ?? 0),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
      from: Number(values.from ?? 0),
      systems: Number(values.systems ?? 2),
    };
    const right = Object.values(numbers).every((n) => Number.isSafeInteger(n) && n >= 0) && numbers.systems > 0;
    if (right) return { ...numbers, only: values.only ?? '' };
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function run({ sample: size, seed, only, from, systems }: Options): Promise<number> {
  const all = matrix(LEASE_MS).filter(({ title }) => title.includes(only));
  const chosen = (size === 0 ? all : sample(all, size, seed)).slice(from);
  const which = [...(size === 0 ? [] : [`seed ${seed}`]), ...(from === 0 ? [] : [`from number ${from}`])];
  console.log([`${chosen.length} of ${all.length} cases`, ...which].join(', '));
  const system = await startMatrices(systems, (line) => console.log(line));
  const results: CaseResult[] = [];
  try {
    await runCases(system, systems, chosen, (result) => {
      results.push(result);
      const progress = `${String(from + results.length).padStart(5)}/${from + chosen.length}`;
      const took = `${Math.round(result.tookMs)} ms`;
      console.log(`${progress} ${result.kind.padEnd(11)} ${result.title}: ${result.outcome}, ${took}`);
      return 'go on';
    });
  } finally {
    await system.stop();
  }
  const count = (kind: CaseResult['kind']) => results.filter((result) => result.kind === kind).length;
  console.log(
    `cases ${results.length}: ${count('passed')} passed, ${count('not_reached')} not on that path, ${count('violated')} violated`,
  );
  console.log(`violations ${count('violated')}`);
  return count('violated') === 0 ? 0 : 1;
}

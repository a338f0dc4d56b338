/** `npm run matrix`: every case, or a sample of them. */
import { parseArgs } from 'node:util';
import { matrix } from './cases.ts';
import { type CaseResult, LEASE_MS, startMatrix } from './run-matrix.ts';
import { sample } from './sample.ts';

const USAGE = 'npm run matrix -- [--sample N] [--seed S] [--only TEXT]';
const EXIT_USAGE = 64;

// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = parse();
process.exitCode = options === undefined ? EXIT_USAGE : await run(options);

function parse(): { sample: number; seed: number; only: string } | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { sample: text, seed: text, only: text } });
    const [size, seed] = [Number(values.sample ?? 0), Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))];
    if (Number.isSafeInteger(size) && size >= 0 && Number.isSafeInteger(seed))
      return { sample: size, seed, only: values.only ?? '' };
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function run({ sample: size, seed, only }: { sample: number; seed: number; only: string }): Promise<number> {
  const all = matrix(LEASE_MS).filter(({ title }) => title.includes(only));
  const chosen = size === 0 ? all : sample(all, size, seed);
  console.log(`${chosen.length} of ${all.length} cases${size === 0 ? '' : `, seed ${seed}`}`);
  const system = await startMatrix((line) => console.log(line));
  const results: CaseResult[] = [];
  try {
    for (const entry of chosen) {
      const result = await system.run(entry);
      results.push(result);
      const progress = `${String(results.length).padStart(5)}/${chosen.length}`;
      console.log(
        `${progress} ${result.kind.padEnd(11)} ${result.title}: ${result.outcome}, ${Math.round(result.tookMs)} ms`,
      );
    }
  } finally {
    await system.stop();
  }
  const count = (kind: CaseResult['kind']) => results.filter((result) => result.kind === kind).length;
  console.log(
    `cases ${results.length}: ${count('held')} held, ${count('not-reached')} not on that path, ${count('violated')} violated`,
  );
  console.log(`violations ${count('violated')}`);
  return count('violated') === 0 ? 0 : 1;
}

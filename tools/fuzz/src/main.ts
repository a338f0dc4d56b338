/**
 * `npm run fuzz`: requests that are made from the OpenAPI document, and bytes that no client sends, at a system of its own. Each gets
 * an answer that the document declares; no answer is a fault of ours; the auditor finds the books right afterwards.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from '@holdfast/cluster';
import { FUZZED_ENV, fuzzSystem } from './fuzz-system.ts';

const USAGE = 'npm run fuzz -- [--seconds N (of each part)] [--seed S] [--concurrency C]';
const EXIT_USAGE = 64;

interface Options {
  seconds: number;
  seed: number;
  concurrency: number;
}

// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = parse();
process.exit(options === undefined ? EXIT_USAGE : await fuzz(options));

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { seconds: text, seed: text, concurrency: text } });
    const parsed = {
      seconds: Number(values.seconds ?? 60),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
      concurrency: Number(values.concurrency ?? 16),
    };
    if (Object.values(parsed).every((n) => Number.isSafeInteger(n) && n >= 0)) return parsed;
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function fuzz(options: Options): Promise<number> {
  console.log(`seed ${options.seed}, ${options.seconds} s of each part, ${options.concurrency} at once`);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  chmodSync(folder, 0o755);
  const cluster = await startCluster({ stateDir: folder, httpPort: 0, env: FUZZED_ENV });
  try {
    const { findings, violations } = await fuzzSystem(cluster, { ...options, say: (line) => console.log(line) });
    for (const line of findings.lines()) console.log(line);
    console.log(findings.count === 0 && violations === 0 ? 'nothing found' : `${findings.count} kinds of findings`);
    return findings.count === 0 && violations === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

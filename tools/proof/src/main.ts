/**
 * `npm run proof`: what proves rather than tests, part by part (parts.ts). Each part runs whatever became of the one before, so
 * that one run says all. Exit 0 only when every part did.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PARTS, type Part, TEST_REPORT } from './parts.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXIT_USAGE = 64;
const DEFAULT_SEED = 20260101;
/** Longer than any part takes on two cores; a part that hangs must not keep the others from being seen. */
const PART_TIMEOUT_MS = 90 * 60_000;
const STOP_GRACE_MS = 30_000;
const NAMES = PARTS.map(({ name }) => name);

const USAGE = `npm run proof -- [options]: proves rather than tests, part by part

  --only a,b       these parts
  --skip a,b       all others
  --all            the long parts too: ${PARTS.filter(({ isLong }) => isLong)
    .map(({ name }) => name)
    .join(', ')}
  --seed N         of what is random (${DEFAULT_SEED})
  --report DIR     where the reports go (.holdfast/proof)
  --help           shows this

Parts:
${PARTS.map(({ name, shows }) => `  ${name.padEnd(14)} ${shows}`).join('\n')}

Exit codes: 0 every part is green; 1 one is not; 64 wrong options`;

interface Options {
  parts: readonly Part[];
  seed: number;
  report: string;
}

interface PartResult {
  name: string;
  /** As a shell would give it. */
  exitCode: number;
  seconds: number;
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

process.exitCode = await start();

async function start(): Promise<number> {
  const asked = parse();
  if (asked === 'help') console.log(USAGE);
  if (asked === 'help') return 0;
  if (asked !== undefined) return await proof(asked);
  console.error(USAGE);
  return EXIT_USAGE;
}

/** @returns undefined, having said what is wrong, when it can't be done */
function parse(): Options | 'help' | undefined {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      options: { only: text, skip: text, all: flag, seed: text, report: text, help: flag },
    });
    if (values.help) return 'help';
    const seed = Number(values.seed ?? DEFAULT_SEED);
    if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError('--seed: a whole number');
    const [only, skip] = [namesIn('--only', values.only), namesIn('--skip', values.skip)];
    const parts = PARTS.filter(({ name, isLong }) =>
      only.length > 0 ? only.includes(name) : !skip.includes(name) && (values.all || !isLong),
    );
    return { parts, seed, report: resolve(values.report ?? join(ROOT, '.holdfast/proof')) };
  } catch (error) {
    console.error(`${(error as Error).message}\n`);
    return undefined;
  }
}

/** @throws TypeError naming a part that does not exist */
function namesIn(option: string, value = ''): string[] {
  const names = value.split(',').filter(Boolean);
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`${option}: no part is called ${unknown}; there are ${NAMES.join(', ')}`);
  return names;
}

/** @returns the exit code */
async function proof({ parts, seed, report }: Options): Promise<number> {
  mkdirSync(report, { recursive: true });
  // What an earlier run has left must not be read as this run's.
  rmSync(join(report, TEST_REPORT), { force: true });
  const results: PartResult[] = [];
  for (const [at, part] of parts.entries()) {
    if (stop.signal.aborted) break;
    console.log(`proof ${at + 1}/${parts.length} ${part.name}: ${part.shows}`);
    results.push(await runPart(part, { seed, report }));
    write(report, seed, results);
  }
  const skipped = parts.slice(results.length).map(({ name }) => name);
  for (const { name, exitCode, seconds } of results)
    console.log(`proof ${name.padEnd(14)} ${exitCode === 0 ? 'green' : `RED (exit ${exitCode})`}, ${seconds} s`);
  if (skipped.length > 0) console.log(`proof stopped before ${skipped.join(', ')}`);
  return skipped.length === 0 && results.every(({ exitCode }) => exitCode === 0) ? 0 : 1;
}

async function runPart({ name, command }: Part, options: { seed: number; report: string }): Promise<PartResult> {
  const startedMs = performance.now();
  const exitCode = await run(command(options));
  return { name, exitCode, seconds: Math.round((performance.now() - startedMs) / 1_000) };
}

async function run(args: string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  let killer: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  };
  const timer = setTimeout(end, PART_TIMEOUT_MS);
  stop.signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise((done, reject) => {
      child.once('error', reject).once('exit', (code) => done(code ?? 1));
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    stop.signal.removeEventListener('abort', end);
  }
}

/** After each part, so that a run that is cut off leaves what it has seen. */
function write(report: string, seed: number, parts: PartResult[]): void {
  const tests = testsIn(join(report, TEST_REPORT));
  writeFileSync(join(report, 'proof.json'), `${JSON.stringify({ seed, parts, tests }, undefined, 2)}\n`);
}

/** @returns undefined when the tests have not been run, or ended without a report */
function testsIn(path: string): { passed: number; failed: number } | undefined {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(path, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return undefined;
  }
}

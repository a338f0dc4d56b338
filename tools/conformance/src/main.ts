/**
 * `npm run conformance`: looks at all rules, in one set-up or in all four, and prints the tables.
 *
 *   --replicas 1|2 (2)   --redis | --no-redis (with, where a redis-server is installed)   --all: the four set-ups
 *   --only H11: rules whose title begins so, parted by commas
 *
 * Another system's rules: README.md beside this file. Exit 0 only when every rule held.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isRedisInstalled } from '@holdfast/testing';
import type { Line } from './rules/rule.ts';

interface SetUp {
  replicas: number;
  redis: boolean;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const VITEST = ['node_modules/vitest/vitest.mjs', 'run', 'tests/conformance.test.ts'];
const EXIT_USAGE = 64;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    replicas: { type: 'string', default: process.env.HOLDFAST_REPLICAS ?? '2' },
    redis: { type: 'boolean', default: isRedisInstalled() },
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const setUps = wanted();
  if (setUps === undefined) return EXIT_USAGE;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-conformance-report-'));
  let code = 0;
  const reports: Line[][] = [];
  try {
    for (const [at, setUp] of setUps.entries()) {
      const report = join(folder, `${at}.json`);
      code = Math.max(code, await look(setUp, report));
      reports.push(linesIn(report));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (setUps.length > 1) printAll(setUps, reports);
  return code;
}

/** @returns undefined, having said why, when it can't be done */
function wanted(): SetUp[] | undefined {
  const replicas = Number(values.replicas);
  if (!Number.isInteger(replicas) || replicas < 1) {
    console.error('--replicas: give a number of 1 or more');
    return undefined;
  }
  if ((values.all || values.redis) && !isRedisInstalled()) {
    console.error('no redis-server is installed: install one (Debian: redis-server), or leave --all and --redis out');
    return undefined;
  }
  if (!values.all) return [{ replicas, redis: values.redis }];
  return [true, false].flatMap((redis) => [1, 2].map((each) => ({ replicas: each, redis })));
}

/** One run of the kit. @returns its exit code */
async function look({ replicas, redis }: SetUp, report: string): Promise<number> {
  if (process.env.HOLDFAST_URL === undefined) console.log(`\n${nameOf({ replicas, redis })}`);
  const only = values.only === undefined ? [] : ['-t', `(${values.only.split(',').join('|')}): `];
  const env = {
    ...process.env,
    HOLDFAST_REPLICAS: String(replicas),
    HOLDFAST_REDIS: redis ? 'yes' : 'no',
    HOLDFAST_CONFORMANCE_REPORT: report,
  };
  const child = spawn(process.execPath, [...VITEST, ...only], { cwd: ROOT, env, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', forward);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}

function linesIn(report: string): Line[] {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Line[];
  } catch {
    // The run has ended before its table: it has said why, and its exit code counts.
    return [];
  }
}

function nameOf({ replicas, redis }: SetUp): string {
  return `${replicas === 1 ? '1 replica' : `${replicas} replicas`} of every service, ${redis ? 'with' : 'without'} Redis`;
}

function printAll(setUps: SetUp[], reports: Line[][]): void {
  const ids = [...new Set(reports.flat().map(({ id }) => id))];
  const heads = setUps.map(({ replicas, redis }) => `${replicas}${redis ? ' + Redis' : ''}`);
  const cell = (id: string, at: number) => reports[at]?.find((line) => line.id === id)?.result ?? 'not run';
  const row = (first: string, cells: string[]) =>
    `  ${first.padEnd(5)}${cells.map((text) => text.padEnd(11)).join('')}`;
  const rows = ids.map((id) =>
    row(
      id,
      setUps.map((_, at) => cell(id, at)),
    ),
  );
  const held = setUps.map(
    (_, at) => `${reports[at]?.filter(({ result }) => result === 'held').length ?? 0} of ${ids.length}`,
  );
  console.log(`\n${[row('', heads), ...rows, '', row('held', held)].join('\n')}\n`);
}

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './arguments.ts';
import type { Pacing, Run } from './load/run-scenario.ts';
import type { Results } from './report/report.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const RUN_TIMEOUT_MS = 600_000;
/** Where the bench stands, here and in revisions before the tools had a folder of their own. */
const MAINS = ['tools/bench/src/main.ts', 'bench/src/main.ts'];

/**
 * One of two revisions that are compared. Each of its runs has new processes, the load generator among them: a process
 * that has run before is warmer, and has more on its heap, and the comparison would measure that.
 */
export interface Revision {
  name: string;
  /** One run of one scenario. @throws Error with what it said */
  run(scenario: string, pacing: RevisionPacing, env?: NodeJS.ProcessEnv): Promise<Run>;
}

/** Another revision of this repository, checked out and installed beside it. */
export interface OtherRevision extends Revision {
  remove(): void;
}

type RevisionPacing = Pick<Pacing, 'seconds' | 'warmUpSeconds' | 'seed'>;

type OurSettings = Pick<BenchOptions, 'profiles' | 'database' | 'tls'>;

export function thisRevision({ profiles, database, tls }: OurSettings): Revision {
  const extra = Object.entries(database).flatMap(([name, value]) => ['--database', `${name}=${value}`]);
  if (profiles !== null) extra.push('--profiles', profiles);
  if (!tls) extra.push('--no-tls');
  return { name: 'this revision', run: (scenario, pacing, env) => runIn(REPOSITORY, scenario, pacing, extra, env) };
}

/** This revision twice: behind a PgBouncer, and directly at Postgres. */
export function poolerAndDirect(options: OurSettings): { pooled: Revision; direct: Revision } {
  const { run } = thisRevision(options);
  // A cluster reads it where it starts (ClusterOptions.pooler).
  const within = (pooler: string, name: string): Revision => ({
    name,
    run: (scenario, pacing) => run(scenario, pacing, { HOLDFAST_POOLER: pooler }),
  });
  return { pooled: within('pgbouncer', 'through PgBouncer'), direct: within('', 'direct') };
}

export function currentRevision(): string {
  const changed = git('status', '--porcelain').length > 0;
  return git('rev-parse', '--short', 'HEAD') + (changed ? ' and changes' : '');
}

/** @throws Error when there is no such revision, or it has no bench */
export function checkOut(revision: string, say: (line: string) => void): OtherRevision {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  git('worktree', 'add', '--detach', folder, revision);
  say(`installing ${revision} beside this revision …`);
  execFileSync('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], { cwd: folder, stdio: 'ignore' });
  return {
    name: revision,
    run: (scenario, pacing) => runIn(folder, scenario, pacing, []),
    remove() {
      git('worktree', 'remove', '--force', folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runIn(
  folder: string,
  scenario: string,
  pacing: RevisionPacing,
  extra: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const temporary = mkdtempSync(join(tmpdir(), 'holdfast-bench-run-'));
  try {
    const json = join(temporary, 'run.json');
    await runBench(folder, [...argumentsOf(scenario, pacing), '--json', json, ...extra], env);
    const [run] = (JSON.parse(readFileSync(json, 'utf8')) as Results).runs;
    if (run === undefined) throw new Error(`${scenario} left no figures in ${folder}`);
    return run;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function argumentsOf(scenario: string, { seconds, warmUpSeconds, seed }: RevisionPacing): string[] {
  const pacing = { '--seconds': seconds, '--warm-up': warmUpSeconds, '--seed': seed };
  return ['--only', scenario, '--repeats', '1', ...Object.entries(pacing).flat().map(String)];
}

/** The bench of a checkout, in a process of its own. @throws Error with what it said */
async function runBench(folder: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const main = MAINS.find((path) => existsSync(join(folder, path)));
  if (main === undefined) throw new Error(`${folder} has none of ${MAINS.join(', ')}`);
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), RUN_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${args.join(' ')} failed in ${folder}: ${said}`);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
}

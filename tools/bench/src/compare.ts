import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Run } from './load/run-scenario.ts';
import type { Results } from './report/report.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const RUN_TIMEOUT_MS = 600_000;
/** Where the bench stands, here and in revisions before the tools had a folder of their own. */
const MAINS = ['tools/bench/src/main.ts', 'bench/src/main.ts'];

/** Another revision of this repository, checked out and installed beside it. */
export interface OtherRevision {
  name: string;
  /** One run of one scenario in that revision, in processes of its own. @throws Error with what it said */
  run(scenario: string, options: { seconds: number; warmUpSeconds: number; seed: number }): Promise<Run>;
  remove(): void;
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
    run: (scenario, options) => runThere(folder, scenario, options),
    remove() {
      git('worktree', 'remove', '--force', folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runThere(
  folder: string,
  scenario: string,
  { seconds, warmUpSeconds, seed }: { seconds: number; warmUpSeconds: number; seed: number },
): Promise<Run> {
  const json = join(folder, 'run.json');
  const args = [
    '--only',
    scenario,
    '--repeats',
    '1',
    '--seconds',
    seconds,
    '--warm-up',
    warmUpSeconds,
    '--seed',
    seed,
    '--json',
    json,
  ];
  const main = MAINS.find((path) => existsSync(join(folder, path)));
  if (main === undefined) throw new Error(`the other revision has none of ${MAINS.join(', ')}`);
  const child = spawn(process.execPath, [main, ...args.map(String)], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), RUN_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  clearTimeout(timer);
  const run = code === 0 ? (JSON.parse(readFileSync(json, 'utf8')) as Results).runs[0] : undefined;
  if (run === undefined) throw new Error(`${scenario} could not be run in the other revision: ${said}`);
  return run;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
}

// `npm run mutate`: takes the guards that the code marks (guards.ts) away, one at a time and in a copy of this tree, and shows
// that the tests named in mutations.ts see it. They must all be green before, and every one of them red after. Exit 0 only then.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findGuards, type GuardMark, withoutGuard } from './guards.ts';
import type { Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NOT_COPIED = new Set(['node_modules', '.git', '.holdfast', '.turbo']);
const TESTS_TIMEOUT_MS = 300_000;
const SYSTEM = 'tests/';

type Result = 'green' | 'red' | 'missing';

const USAGE = `npm run mutate -- [options]: takes away what makes keys hold, one thing at a time, and shows that tests see it

  --only TEXT      mutations whose name has it
  --skip-system    without the tests that start the whole system
  --help           shows this

Exit codes: 0 every mutation was seen; 1 one was not, or a test was red before; 64 wrong options`;

process.exitCode = start();

function start(): number {
  let values: ReturnType<typeof optionsIn>;
  try {
    values = optionsIn(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 64;
  }
  if (!values.help) return main(values.only, values['skip-system']);
  console.log(USAGE);
  return 0;
}

/** @throws TypeError naming the option that is wrong */
function optionsIn(args: string[]) {
  return parseArgs({
    args,
    options: {
      only: { type: 'string', default: '' },
      'skip-system': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function main(only: string, skipSystem: boolean): number {
  const wanted = MUTATIONS.filter(({ name }) => name.includes(only)).map((mutation) => ({
    ...mutation,
    red: mutation.red.filter(({ file }) => !skipSystem || !file.startsWith(SYSTEM)),
  }));
  if (wanted.length === 0) {
    console.error(
      `--only: no mutation has "${only}" in its name; there are:\n  ${MUTATIONS.map(({ name }) => name).join('\n  ')}`,
    );
    return 64;
  }
  const copy = copyOfTree();
  try {
    const marks = Map.groupBy(findGuards(copy), ({ name }) => name);
    const before = look(
      copy,
      wanted.flatMap(({ red }) => red),
    );
    const unsound = [...before].filter(([, result]) => result !== 'green').map(([title]) => title);
    if (unsound.length > 0) {
      console.error(`not green as they are, so they can show nothing:\n  ${unsound.join('\n  ')}`);
      return 1;
    }
    return wanted.map((mutation) => isSeen(copy, mutation, marks.get(mutation.name) ?? [])).every(Boolean) ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** With dependencies of its own: links of this tree's would lead back here. */
function copyOfTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-mutate-'));
  // Postgres runs as another user when root starts it, from the binaries in there.
  chmodSync(copy, 0o755);
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (path) =>
      !relative(ROOT, path)
        .split(sep)
        .some((part) => NOT_COPIED.has(part)) || path === ROOT,
  });
  const installed = spawnSync('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], {
    cwd: copy,
    encoding: 'utf8',
  });
  if (installed.status !== 0) throw new Error(`pnpm could not install the copy’s dependencies: ${installed.stdout}`);
  return copy;
}

function isSeen(copy: string, { name, red }: Mutation, marks: GuardMark[]): boolean {
  if (marks.length === 0)
    throw new Error(`nothing is marked "@guard … ${name}": mark it, or take it from mutations.ts`);
  const kept = new Map(marks.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]));
  try {
    for (const [file, text] of kept) {
      // From the last one up, so that the lines of the others stay what they are.
      const own = marks.filter((mark) => mark.file === file).toSorted((a, b) => b.line - a.line);
      writeFileSync(join(copy, file), own.reduce(withoutGuard, text));
    }
    const results = look(copy, red);
    const isSeenByAll = [...results.values()].every((result) => result === 'red');
    console.log(`${isSeenByAll ? 'seen    ' : 'SURVIVES'} without ${name}`);
    for (const [title, result] of results) console.log(`         ${result.padEnd(7)} ${title}`);
    return isSeenByAll;
  } finally {
    for (const [file, text] of kept) writeFileSync(join(copy, file), text);
  }
}

interface Test {
  title: string;
  status: string;
}

interface Report {
  testResults: { assertionResults: Test[] }[];
}

/** What becomes of these tests, by file and title. A run that does not come to its tests leaves them missing. */
function look(copy: string, tests: Mutation['red']): Map<string, Result> {
  const results = new Map<string, Result>();
  const titlesOf = Map.groupBy(tests, ({ file }) => file);
  for (const [file, of] of titlesOf) {
    const titles = [...new Set(of.flatMap((each) => each.titles))];
    let seen = run(copy, file, titles);
    // What they need did not start in time, which says nothing about them: once more.
    if (titles.some((title) => resultOf(seen, title).result === 'missing')) seen = run(copy, file, titles);
    for (const title of titles) {
      const { whole, result } = resultOf(seen, title);
      results.set(`${basename(file)} > ${whole}`, result);
    }
  }
  return results;
}

function resultOf(seen: Test[], title: string): { whole: string; result: Result } {
  const met = seen.find((test) => test.title.startsWith(title));
  const result = met?.status === 'passed' ? 'green' : met?.status === 'failed' ? 'red' : 'missing';
  return { whole: met?.title ?? title, result };
}

function run(copy: string, file: string, titles: string[]): Test[] {
  const report = join(copy, 'mutate-report.json');
  rmSync(report, { force: true });
  const pattern = titles.map((title) => title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const args = ['run', file, '-t', pattern, '--reporter=json', `--outputFile=${report}`];
  const ended = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    cwd: copy,
    encoding: 'utf8',
    timeout: TESTS_TIMEOUT_MS,
  });
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } catch {
    console.error(`${file}: the tests ended without a report: ${ended.stderr.slice(-2_000)}`);
    return [];
  }
}

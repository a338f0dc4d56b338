/** `npm run simulate`: schedule after schedule in virtual time, until one breaks an invariant or all have held. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { PLANTED_BUGS, type PlantedBug, plant } from './planted-bugs.ts';
import type { Tally } from './run-schedules.ts';

const EXIT_BROKEN = 1;
const EXIT_USAGE = 64;
const USAGE = `npm run simulate -- [--schedules N] [--seed S] [--workers W]
  --schedules N   how many (100000)
  --seed S        of the run; the same seed runs the same schedules (a random one)
  --workers W     threads (one for each core)
  --bug NAME      plants a bug first, to see it found: ${PLANTED_BUGS.map(({ name }) => name).join(', ')}
  --replay SEED   runs one schedule and prints its trace
  --only A,B      with --replay: lets only these faults strike`;

interface Options {
  schedules: number;
  seed: number;
  workers: number;
  bug: PlantedBug | undefined;
  replay: number | undefined;
  only: ReadonlySet<string> | null;
}

// Most of what a schedule allocates is garbage at once: a young generation that is large from the start saves a fifth.
setFlagsFromString('--min-semi-space-size=16');
setFlagsFromString('--max-semi-space-size=64');
// An error tells nothing here that its message does not, and collecting stacks costs a tenth of the time.
Error.stackTraceLimit = 0;

if (isMainThread) {
  const options = parse(process.argv.slice(2));
  if (typeof options === 'string') {
    console.error(`${options}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
  } else {
    plantIn(options.bug);
    process.exitCode = options.replay === undefined ? await simulate(options) : await replay(options, options.replay);
  }
} else {
  await work(workerData as { bugName: string | undefined; runSeed: number; first: number; step: number; end: number });
}

function parse(args: string[]): Options | string {
  const text = { type: 'string' } as const;
  let values: Partial<Record<string, string>>;
  try {
    const options = { schedules: text, seed: text, workers: text, bug: text, replay: text, only: text };
    values = parseArgs({ args, options }).values;
  } catch (error) {
    return (error as Error).message;
  }
  const numbers = [
    Number(values.schedules ?? 100_000),
    Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    Number(values.workers ?? availableParallelism()),
    Number(values.replay ?? 0),
  ] as const;
  const [schedules, seed, workers, replayed] = numbers;
  if (!numbers.every(Number.isSafeInteger) || schedules < 1 || workers < 1) return 'numbers must be whole, and above 0';
  const bug = PLANTED_BUGS.find(({ name }) => name === values.bug);
  if (values.bug !== undefined && bug === undefined) return `there is no planted bug ${values.bug}`;
  const only = values.only === undefined ? null : new Set(values.only.split(',').filter(Boolean));
  return { schedules, seed, workers, bug, replay: values.replay === undefined ? undefined : replayed, only };
}

/** Before anything imports the engine, hence the imports inside functions further down. */
function plantIn(bug: PlantedBug | undefined): void {
  if (bug?.change !== undefined) plant(bug.change);
}

/** @returns the exit code */
async function simulate({ schedules, seed, workers, bug }: Options): Promise<number> {
  const { add, emptyTally } = await import('./run-schedules.ts');
  console.log(`${schedules} schedules, seed ${seed}, ${workers} threads${bug ? `, planted: ${bug.name}` : ''}`);
  const sum = emptyTally();
  const startedAt = performance.now();
  let lastSaidAt = startedAt;
  const heard = (part: Tally) => {
    add(sum, part);
    if (performance.now() - lastSaidAt < 2_000) return;
    lastSaidAt = performance.now();
    console.log(`  ${sum.schedules} of ${schedules}, ${rate(sum, startedAt)} a second`);
  };
  const ranges = Array.from({ length: workers }, (_, first) => ({
    runSeed: seed,
    first,
    step: workers,
    end: schedules,
  }));
  await Promise.all(ranges.map((range) => inThread({ ...range, bugName: bug?.name }, heard)));
  console.log(summary(sum, startedAt));
  if (sum.broken === null) return 0;
  await explain(sum.broken.seed, bug);
  return EXIT_BROKEN;
}

function inThread(data: object, heard: (part: Tally) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: data, argv: [] });
    worker.on('message', heard);
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`))));
  });
}

async function work(data: { bugName: string | undefined; runSeed: number; first: number; step: number; end: number }) {
  const bug = PLANTED_BUGS.find(({ name }) => name === data.bugName);
  plantIn(bug);
  const { runSchedules } = await import('./run-schedules.ts');
  await runSchedules({ ...data, switches: bug?.switches ?? {} }, (part) => parentPort?.postMessage(part));
}

/** Shrinks a failing schedule and prints what is left of it. */
async function explain(seed: number, bug: PlantedBug | undefined): Promise<void> {
  const [{ shrink }, { runSchedule }] = await Promise.all([import('./shrink.ts'), import('./schedule.ts')]);
  const switches = bug?.switches ?? {};
  const { result, faults, runs } = await shrink({ seed, switches });
  const lines: string[] = [];
  await runSchedule({ seed, switches, only: new Set(faults), trace: (line) => lines.push(line) });
  console.log(`\nBROKEN  ${result.breach?.invariant}: ${result.breach?.what}`);
  console.log(`seed ${seed}; of its faults ${faults.length} are needed (${runs} runs to shrink)`);
  console.log(
    `replay: npm run simulate -- --replay ${seed} --only '${faults.join(',')}'${bug ? ` --bug ${bug.name}` : ''}`,
  );
  console.log(`${lines.join('\n')}\n`);
}

/** @returns the exit code */
async function replay({ bug, only }: Options, seed: number): Promise<number> {
  const { runSchedule } = await import('./schedule.ts');
  const { breach } = await runSchedule({
    seed,
    only,
    switches: bug?.switches ?? {},
    trace: (line) => console.log(line),
  });
  console.log(breach === null ? 'all invariants held' : `BROKEN  ${breach.invariant}: ${breach.what}`);
  return breach === null ? 0 : EXIT_BROKEN;
}

/** What one processor does in a second, whoever else is on the machine. */
function ratePerProcessor(sum: Tally): number {
  const { user, system } = process.cpuUsage();
  return Math.round(sum.schedules / ((user + system) / 1_000_000));
}

function rate(sum: Tally, startedAt: number): number {
  return Math.round(sum.schedules / ((performance.now() - startedAt) / 1_000));
}

function summary(sum: Tally, startedAt: number): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${n} ${name}`)
      .join(', ');
  return [
    `schedules  ${sum.schedules} (${rate(sum, startedAt)} a second, ${ratePerProcessor(sum)} per processor second), ${sum.events} events, ${Math.round(sum.simulatedMs / 1_000)} virtual seconds`,
    `sagas      ${sum.sagas}: ${list(sum.ended)}`,
    `faults     ${list(sum.faults)}`,
    `violations ${sum.broken === null ? 0 : 1}`,
  ].join('\n');
}

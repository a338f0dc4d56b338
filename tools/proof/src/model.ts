// `npm run model`: has spin check the model of the protocol (docs/model/*.pml): the models themselves must hold, and each
// broken variant of them must give a counterexample. Needs spin and a C compiler (Debian: apt-get install spin gcc).
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MODELS = fileURLToPath(new URL('../../../docs/model/', import.meta.url));
const TIMEOUT_MS = 240_000;
const MAX_DEPTH = 200_000;
const MAX_OUTPUT_BYTES = 10_000_000;

/** What is checked: `property` is one of the model's `ltl` formulas, `holds` what must come out. */
export interface Variant {
  name: string;
  /** Its file in docs/model, without `.pml`; `saga` without one. */
  model?: 'saga' | 'groups' | 'fences';
  property: 'safe' | 'sticky' | 'recorded' | 'ends';
  flags: string[];
  holds: boolean;
}

const GROUP = { model: 'groups' } as const;
const FENCE = { model: 'fences' } as const;

export const VARIANTS: readonly Variant[] = [
  { name: 'A1, as it is', property: 'safe', flags: [], holds: true },
  { name: 'S5, as it is', property: 'sticky', flags: ['-DFAULTS=2'], holds: true },
  { name: 'S1, as it is', property: 'ends', flags: ['-DFAULTS=2'], holds: true },
  { name: 'A1, fence only on checkpoints', property: 'safe', flags: ['-DNO_FENCE_AT_PARTICIPANT'], holds: true },
  { name: 'no fence', property: 'safe', flags: ['-DNO_FENCE'], holds: false },
  { name: 'no seal', property: 'safe', flags: ['-DNO_SEAL'], holds: false },
  { name: 'undo only of known-done steps', property: 'safe', flags: ['-DUNDO_KNOWN_ONLY'], holds: false },
  { name: 'turn-back not durable first', property: 'safe', flags: ['-DNO_DURABLE_TURN'], holds: false },
  { name: 'refusal forgotten', property: 'sticky', flags: ['-DREFUSAL_FORGOTTEN'], holds: false },
  { name: 'no adoption', property: 'ends', flags: ['-DNO_ADOPTION', '-DFAULTS=2'], holds: false },
  { ...GROUP, name: 'groups: A1, as it is', property: 'safe', flags: [], holds: true },
  { ...GROUP, name: 'groups: S2, as it is', property: 'recorded', flags: [], holds: true },
  { ...GROUP, name: 'groups: S1, as it is', property: 'ends', flags: [], holds: true },
  { ...GROUP, name: 'act that no record names', property: 'recorded', flags: ['-DSTART_NOT_DURABLE'], holds: false },
  { ...GROUP, name: 'next group after one member', property: 'recorded', flags: ['-DNEXT_TOO_EARLY'], holds: false },
  { ...GROUP, name: 'undo of the refused one alone', property: 'safe', flags: ['-DUNDO_ONE'], holds: false },
  { ...GROUP, name: 'undo only of stored members', property: 'safe', flags: ['-DUNDO_KNOWN'], holds: false },
  { ...GROUP, name: 'undone when one member is', property: 'safe', flags: ['-DBACK_AFTER_ONE'], holds: false },
  { ...FENCE, name: 'fences: K4, as it is', property: 'safe', flags: [], holds: true },
  { ...FENCE, name: 'fences: S1, as it is', property: 'ends', flags: [], holds: true },
  { ...FENCE, name: 'fence without a bound', property: 'safe', flags: ['-DUNBOUNDED'], holds: false },
  { ...FENCE, name: 'fence without a bound', property: 'ends', flags: ['-DUNBOUNDED'], holds: false },
  { ...FENCE, name: 'fenced for ever', property: 'ends', flags: ['-DNEVER_PARKED'], holds: false },
  { ...FENCE, name: 'resumed below the fence', property: 'ends', flags: ['-DRESUME_BELOW'], holds: false },
];

/** @returns the names of the programs that are missing; empty: the model can be checked */
export function missingTools(): string[] {
  return ['spin', 'gcc'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
}

export interface Checked {
  errors: number;
  /** How the property was broken: by a state, or by a cycle in which nothing ever ends; null when it holds. */
  broken: 'state' | 'cycle' | null;
  states: number;
  seconds: number;
  /** As spin tells it. */
  log: string;
}

/** @throws Error when it could not be checked to the end */
export async function checkVariant({ model = 'saga', property, flags }: Variant): Promise<Checked> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-model-'));
  try {
    copyFileSync(join(MODELS, `${model}.pml`), join(folder, `${model}.pml`));
    await run(folder, 'spin', ['-a', ...flags, `${model}.pml`]);
    // -f: weak fairness, without which a process that may always run may never do so. Safety needs no cycles.
    const [compile, search] = property === 'ends' ? [['-DNFAIR=5'], ['-a', '-f']] : [['-DSAFETY'], []];
    await run(folder, 'gcc', ['-O2', ...compile, '-o', 'pan', 'pan.c']);
    const startedAt = performance.now();
    const log = await run(folder, './pan', [`-m${MAX_DEPTH}`, ...search, '-N', property]);
    const [, errors] = /errors: (\d+)/.exec(log) ?? [];
    const [, states] = /(\d+) states, stored/.exec(log) ?? [];
    if (errors === undefined || /max search depth too small|out of memory/.test(log)) {
      throw new Error(`the search did not come to its end:\n${log}`);
    }
    const broken = /acceptance cycle/.test(log) ? 'cycle' : /assertion violated/.test(log) ? 'state' : null;
    // A deadlock counts as an error too, and says nothing about the property.
    if (Number(errors) > 0 && broken === null) throw new Error(`an error that no property forbids:\n${log}`);
    return {
      errors: Number(errors),
      broken,
      states: Number(states),
      seconds: (performance.now() - startedAt) / 1_000,
      log,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(cwd: string, program: string, args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { cwd, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (cause) {
    const { message, stdout = '', stderr = '' } = cause as { message: string; stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${message}\n${stdout}${stderr}`, { cause });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(`${missing.join(' and ')} missing: install them (Debian: apt-get install spin gcc)`);
    process.exit(1);
  }
  for (const variant of VARIANTS) {
    const { errors, states, seconds } = await checkVariant(variant);
    const right = (errors === 0) === variant.holds;
    const found = errors === 0 ? 'holds' : 'counterexample';
    const line = [variant.name.padEnd(32), variant.property.padEnd(8), String(states).padStart(9), 'states'];
    console.log(`${right ? 'ok  ' : 'BAD '} ${line.join(' ')} ${seconds.toFixed(1).padStart(6)} s  ${found}`);
    if (!right) process.exitCode = 1;
  }
}

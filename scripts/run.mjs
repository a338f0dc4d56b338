// The commands of package.json: brings the tools and the dependencies where they are missing, then runs the command.
// Plain JavaScript for Node.js 20 and later, since this is what finds the Node.js that the rest needs.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { install, isInstalled } from './install.mjs';
import { environmentFor, findTools, ROOT, rememberTools } from './tools.mjs';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const PARENT_POLL_MS = 250;
const TASKS = [
  'typecheck',
  'lint',
  'borders',
  'unused',
  'gen:check',
  'api:check',
  'packages',
  'proto:lint',
  'proto:breaking',
];
const OUTPUT = ['--ui=stream', '--output-logs=new-only', '--log-order=grouped'];
const CHECK = ['node_modules/.bin/turbo', 'run', ...TASKS, ...OUTPUT, '--continue'];

/** What each command runs, one after the other as long as all goes well; the caller's arguments go to the last. */
const COMMANDS = {
  demo: [['node', 'tools/demo/src/main.ts']],
  up: [['node', 'tools/cluster/src/up.ts']],
  audit: [['node', 'tools/auditor/src/audit.ts']],
  simulate: [['node', 'packages/testing/src/simulation/simulate.ts']],
  bench: [['node', 'tools/bench/src/main.ts']],
  chaos: [['node', 'tools/chaos/src/main.ts']],
  races: [['node', 'tools/chaos/src/races/main.ts']],
  matrix: [['node', 'tools/matrix/src/main.ts']],
  contrast: [['node', 'tools/contrast/src/main.ts']],
  failover: [['node', 'tools/failover/src/main.ts']],
  fuzz: [['node', 'tools/fuzz/src/main.ts']],
  model: [['node', 'tools/proof/src/model.ts']],
  mutate: [['node', 'tools/proof/src/mutate.ts']],
  gen: [
    ['node', 'scripts/gen.mjs'],
    ['node', 'scripts/gen-client.ts'],
    ['node', 'scripts/api-reports.ts'],
    ['node', 'scripts/write-schemas.ts'],
    ['node', 'scripts/write-statements.ts'],
  ],
  conformance: [['node', 'tools/conformance/src/main.ts']],
  check: [CHECK],
  changeset: [['node_modules/.bin/changeset']],
  test: [
    CHECK,
    [
      'node',
      'node_modules/vitest/vitest.mjs',
      'run',
      ...['unit', 'db', 'orders', 'system'].map((name) => `--project=${name}`),
    ],
  ],
  proof: [['node', 'tools/proof/src/main.ts']],
};

// Standard error, so that what a command prints can be read by a program.
const say = (line) => console.error(`holdfast: ${line}`);
const [name, ...args] = process.argv.slice(2);
const steps = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
if (steps === undefined) {
  console.error(`node scripts/run.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exitCode = await runAll(steps, args);
}

async function runAll(commands, lastArgs) {
  let tools;
  try {
    tools = findTools(say);
    if (!isInstalled()) install(tools, say);
    rememberTools(tools);
  } catch (error) {
    console.error(error.message);
    return 1;
  }
  for (const [at, [program, ...fixed]] of commands.entries()) {
    const rest = at === commands.length - 1 ? lastArgs : [];
    const code = await run(program === 'node' ? tools.node : program, [...fixed, ...rest], environmentFor(tools));
    if (code !== 0) return code;
  }
  return 0;
}

/** @returns the exit code, as a shell would give it */
async function run(program, programArgs, env) {
  const child = spawn(program, programArgs, { cwd: ROOT, env, stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child by itself; a signal that was sent to this process alone does not.
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  const watch = watchParent(() => child.kill('SIGTERM'));
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      clearInterval(watch);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * npm hands SIGINT and SIGTERM on (to us, because package.json says `exec`: a shell in between would keep them to itself).
 * When npm is killed, nobody tells us; whoever does that means the command, so a parent that is gone counts as SIGTERM.
 */
function watchParent(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    onGone();
  }, PARENT_POLL_MS);
  return watch;
}

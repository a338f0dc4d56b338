/** `npm run audit`: checks the books of the system that runs here. Exit codes: 0 A1 holds, 1 it does not, 2 not known. */
import { parseArgs } from 'node:util';
import { DEFAULT_STATE_DIR, type RunFile, readRunFile } from '@holdfast/cluster';
import type { AuditReport } from '@holdfast/testing/audit';
import { auditTable } from './audit-table.ts';
import { watchBooks } from './audit-watch.ts';
import { type AuditSources, auditSystem, booksAt } from './auditor.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const EXIT_NOT_DONE = 2;
const USAGE = `npm run audit -- [options]: checks the books of the running system, in all databases and at the provider

  --allow-running   orders that have not ended are no violation: for a system that is taking orders
  --watch           goes on auditing a system that works, until it is stopped or finds a violation
  --every SECONDS   with --watch: the pause between two rounds, 10 unless given
  --json            the whole report as JSON
  --help            shows this`;
const PROGRESS_MS = 1_000;
/** Longer than what is in flight between two databases takes. */
const LOOK_AGAIN_MS = 2_000;

const wanted = parse(process.argv.slice(2));
if (wanted.kind === 'help') console.log(USAGE);
else if (wanted.kind === 'wrong') {
  console.error(`${wanted.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exitCode = wanted.everyMs === null ? await audit(wanted) : await watch(wanted.everyMs, wanted.json);
}

type Wanted =
  /** `everyMs`: null for one round alone. */
  | { kind: 'audit'; allowRunning: boolean; json: boolean; everyMs: number | null }
  | { kind: 'help' }
  | { kind: 'wrong'; message: string };

function parse(args: string[]): Wanted {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = {
      'allow-running': flag,
      watch: flag,
      every: { type: 'string', default: '10' },
      json: flag,
      help: flag,
    } as const;
    const { values } = parseArgs({ args, options });
    if (values.help) return { kind: 'help' };
    if (!/^[1-9]\d{0,4}$/.test(values.every)) return { kind: 'wrong', message: '--every takes 1 to 99999 seconds' };
    const everyMs = values.watch ? Number(values.every) * 1_000 : null;
    return { kind: 'audit', allowRunning: values['allow-running'], json: values.json, everyMs };
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
}

async function audit({ allowRunning, json }: { allowRunning: boolean; json: boolean }): Promise<number> {
  try {
    const report = await auditSystem(sourcesOf(readRunFile(DEFAULT_STATE_DIR)), {
      allowRunning,
      onProgress: progress(),
    });
    show(report, json);
    return report.violations === 0 ? 0 : 1;
  } catch (error) {
    console.error(`the audit could not be done: ${(error as Error).message}`);
    return EXIT_NOT_DONE;
  }
}

function show(report: AuditReport, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  console.log(auditTable(report, process.stdout.columns).join('\n'));
  console.log(report.violations === 0 ? '\nThe books are right.' : '\nThe books are WRONG.');
}

/** Round after round until SIGINT or SIGTERM. The run file is read anew each time: what dies is restarted elsewhere. */
async function watch(everyMs: number, json: boolean): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  const end = await watchBooks({
    audit: async () => await auditSystem(sourcesOf(readRunFile(DEFAULT_STATE_DIR)), { allowRunning: true }),
    everyMs,
    lookAgainMs: LOOK_AGAIN_MS,
    signal: stopping.signal,
    log: (line) => console.error(`${new Date().toISOString()} ${line}`),
  });
  if (end.kind === 'violation') {
    show(end.report, json);
    return 1;
  }
  console.error(`stopped after ${end.rounds} rounds without a violation; ${end.failed} could not be done`);
  return end.rounds > 0 ? 0 : EXIT_NOT_DONE;
}

function sourcesOf({ services, sandbox }: RunFile): AuditSources {
  return booksAt((name) => {
    const service = services.find((entry) => entry.name === name);
    if (service === undefined) throw new Error(`run.json lists no ${name}: stop the system and start it again`);
    return service.databaseUrl;
  }, sandbox);
}

/** A line now and then while it takes long, where a person is watching. */
function progress(): (check: string, looked: number) => void {
  let toldAtMs = performance.now();
  return (check, looked) => {
    if (!process.stderr.isTTY || performance.now() - toldAtMs < PROGRESS_MS) return;
    toldAtMs = performance.now();
    console.error(`${check}: ${looked.toLocaleString('en-US')} looked at …`);
  };
}

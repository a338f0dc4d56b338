/** `npm run audit`: checks the books of the system that runs here. Exit codes: 0 A1 holds, 1 it does not, 2 not known. */
import { parseArgs } from 'node:util';
import { auditTable } from './audit-table.ts';
import { auditSystem } from './auditor.ts';
import { DEFAULT_STATE_DIR } from './cluster.ts';
import { type RunFile, readRunFile } from './run-file.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const EXIT_NOT_DONE = 2;
const USAGE = `npm run audit -- [options]: checks the books of the running system, in all databases and at the provider

  --allow-running   orders that have not ended are no violation: for a system that is taking orders
  --json            the whole report as JSON
  --help            shows this`;
const PROGRESS_MS = 1_000;

const wanted = parse(process.argv.slice(2));
if (wanted.kind === 'help') console.log(USAGE);
else if (wanted.kind === 'wrong') {
  console.error(`${wanted.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exitCode = await audit(wanted);
}

type Wanted =
  | { kind: 'audit'; allowRunning: boolean; json: boolean }
  | { kind: 'help' }
  | { kind: 'wrong'; message: string };

function parse(args: string[]): Wanted {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({ args, options: { 'allow-running': flag, json: flag, help: flag } });
    return values.help ? { kind: 'help' } : { kind: 'audit', allowRunning: values['allow-running'], json: values.json };
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
    if (json) console.log(JSON.stringify(report, null, 2));
    else console.log(auditTable(report, process.stdout.columns).join('\n'));
    if (!json) console.log(report.violations === 0 ? '\nThe books are right.' : '\nThe books are WRONG.');
    return report.violations === 0 ? 0 : 1;
  } catch (error) {
    console.error(`the audit could not be done: ${(error as Error).message}`);
    return EXIT_NOT_DONE;
  }
}

function sourcesOf(run: RunFile) {
  const databaseOf = (name: string) => {
    const service = run.services.find((entry) => entry.name === name);
    if (service === undefined) throw new Error(`run.json lists no ${name}: stop the system and start it again`);
    return service.databaseUrl;
  };
  return {
    orchestrator: databaseOf('orchestrator'),
    inventory: databaseOf('inventory'),
    payment: databaseOf('payment'),
    shipping: databaseOf('shipping'),
    sandboxUrl: run.sandbox,
  };
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

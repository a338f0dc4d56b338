/** `npm run failover`: what the death or the standstill of an orchestrator costs, in figures; the auditor decides. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { auditSystem, auditTable, booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { stockUp } from './load.ts';
import { type Figures, ROUND_NAMES, ROUNDS, type RoundName } from './rounds.ts';
import { SagaWatch } from './sagas.ts';

const USAGE = `npm run failover -- [--rounds N] [--in-flight N] [--lease MS] [--only ${ROUND_NAMES.join('|')}]`;
const EXIT_USAGE = 64;
const START_TIMEOUT_MS = 180_000;
const DEFAULT_LEASE_MS = 3_000;

// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

interface Options {
  rounds: number;
  inFlight: number;
  leaseMs: number;
  only: RoundName | undefined;
}

const options = parse();
process.exitCode = options === undefined ? EXIT_USAGE : await failover(options);

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { rounds: text, 'in-flight': text, lease: text, only: text } });
    const numbers = {
      rounds: Number(values.rounds ?? 5),
      inFlight: Number(values['in-flight'] ?? 200),
      leaseMs: Number(values.lease ?? DEFAULT_LEASE_MS),
    };
    const only = ROUND_NAMES.find((name) => name === values.only);
    const right = Object.values(numbers).every((n) => Number.isSafeInteger(n) && n > 0);
    if (right && (values.only === undefined || only !== undefined)) return { ...numbers, only };
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function failover(options: Options): Promise<number> {
  const { rounds, inFlight, leaseMs } = options;
  console.log(`${rounds} rounds each, ${inFlight} orders in flight, leases of ${leaseMs} ms`);
  let wrong = 0;
  for (const name of ROUND_NAMES) {
    if (options.only !== undefined && options.only !== name) continue;
    wrong += await onSystem(name, options);
  }
  console.log(`violations ${wrong}`);
  return wrong === 0 ? 0 : 1;
}

/** @returns how much is wrong */
async function onSystem(name: RoundName, { rounds, inFlight, leaseMs }: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-failover-'));
  chmodSync(folder, 0o755);
  const orchestrators = name === 'kill-the-only-one' ? 1 : 2;
  const cluster = await startCluster({
    stateDir: folder,
    httpPort: 0,
    orchestrators,
    ...(leaseMs !== DEFAULT_LEASE_MS && { leaseMs }),
    restartAtOnce: true,
    startTimeoutMs: START_TIMEOUT_MS,
    // Processes die here, never the machine.
    databaseSettings: { fsync: 'off' },
    say: (line) => console.log(line),
  });
  const watch = await SagaWatch.connect(cluster);
  try {
    await stockUp(cluster);
    console.log(`\n${name}, ${orchestrators} orchestrator${orchestrators > 1 ? 's' : ''}`);
    const all: Figures[] = [];
    let wrong = 0;
    for (let round = 1; round <= rounds; round++) {
      const { figures, faults } = await ROUNDS[name]({ cluster, watch, inFlight, leaseMs });
      all.push(figures);
      const told = Object.entries(figures).map(([what, value]) => `${what} ${Math.round(value)}`);
      console.log(`  round ${round}: ${told.join(', ')}`);
      for (const fault of faults) console.log(`  WRONG: ${fault}`);
      wrong += faults.length;
    }
    for (const line of summary(all)) console.log(line);
    return wrong + (await audit(cluster));
  } finally {
    await watch.close();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(all: Figures[]): string[] {
  return Object.keys(all[0] ?? {}).map((what) => {
    const sorted = all.map((figures) => figures[what] ?? 0).sort((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
    return `  ${what.padEnd(46)} median ${at(0.5)}, p99 ${at(0.99)}`;
  });
}

/** @returns the violations of A1 */
async function audit(cluster: Cluster): Promise<number> {
  const report = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
  if (report.violations > 0) console.log(auditTable(report).join('\n'));
  console.log(`  audited: ${report.orders.completed} orders completed, ${report.violations} violations`);
  return report.violations;
}

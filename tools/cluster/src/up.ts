/** `npm run up`: starts the system, says where everything is, and keeps it up until it is asked to stop. */
import { type Cluster, type ClusterEvent, startCluster } from './cluster.ts';
import type { RunFile } from './run-file.ts';
import { parseUpOptions, type SandboxFaults, UP_USAGE, type UpOptions } from './up-options.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const FAULTS_TIMEOUT_MS = 5_000;
const IMPATIENT_AFTER_MS = 1_000;

const say = (line: string) => console.log(line);
const parsed = parseUpOptions(process.argv.slice(2));
if (parsed.kind === 'help') {
  say(UP_USAGE);
} else if (parsed.kind === 'wrong') {
  console.error(`${parsed.message}\n\n${UP_USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exit(await up(parsed.options));
}

/** @returns the exit code */
async function up(options: UpOptions): Promise<number> {
  const asked = onceAskedToStop();
  let cluster: Cluster;
  say('starting Postgres and the services …');
  try {
    const { port, leaseMs, ...rest } = options;
    cluster = await startCluster({
      ...rest,
      ...(port !== undefined && { httpPort: port }),
      ...(leaseMs !== undefined && { leaseMs }),
      say,
      onEvent: report,
      signal: asked.signal,
    });
  } catch (error) {
    if (asked.signal.aborted) {
      say('stopped before everything was up');
      return 0;
    }
    console.error(`could not start: ${(error as Error).message}`);
    return 1;
  }
  try {
    if (options.sandboxFaults !== undefined) await setFaults(cluster.run.sandbox, options.sandboxFaults);
    say(welcome(cluster.run, cluster));
    await asked.stop;
  } finally {
    say('stopping …');
    await cluster.stop();
  }
  say('stopped; the data is kept for the next start');
  return 0;
}

interface Asked {
  signal: AbortSignal;
  stop: Promise<void>;
}

function onceAskedToStop(): Asked {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let askedAtMs = 0;
  const onSignal = () => {
    if (controller.signal.aborted) {
      // One Ctrl-C may come more than once: from the terminal, and handed on by npm. Only after a while does it mean that
      // somebody is impatient; whatever still runs is killed as this process exits.
      if (performance.now() - askedAtMs > IMPATIENT_AFTER_MS) process.exit(130);
      return;
    }
    askedAtMs = performance.now();
    controller.abort(new Error('asked to stop'));
    resolve();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, stop: promise };
}

function report(event: ClusterEvent): void {
  const who = `${event.name} ${event.replica}`;
  if (event.kind === 'died') {
    const how = event.signal ?? `exit code ${event.code}`;
    const pause = event.restartInMs ? ` in ${event.restartInMs} ms` : '';
    if (event.restartInMs !== null) say(`${who} (pid ${event.pid}) died of ${how}: starting it again${pause}`);
  }
  if (event.kind === 'restarted') {
    say(`${who} is back (pid ${event.pid}) after ${(event.afterMs / 1_000).toFixed(1)} s`);
  }
}

async function setFaults(sandbox: string, rates: SandboxFaults): Promise<void> {
  const response = await fetch(`${sandbox}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seed: 1, payments: rates, carrier: rates }),
    signal: AbortSignal.timeout(FAULTS_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the sandbox did not take the faults: ${await response.text()}`);
}

function welcome(run: RunFile, { stateDir, logDir, tenantId }: Cluster): string {
  const order = {
    customerId: 'ada',
    currency: 'EUR',
    items: [{ sku: 'tea', quantity: 2 }],
    payment: { method: 'balance' },
    shipTo: { name: 'Ada', line1: 'Main Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  };
  const others = run.services
    .filter(({ http }) => http !== run.http)
    .map(
      ({ name, replica, http, grpc }) => `  ${`${name} ${replica}`.padEnd(16)}${http}${grpc ? `, gRPC ${grpc}` : ''}`,
    );
  return `
Holdfast is up.

  API             ${run.http} (described at ${run.http}/openapi.json, with the key)
  API key         ${run.apiKey} (tenant ${tenantId})
${others.join('\n')}
  Postgres        127.0.0.1:${run.postgres.port}${run.redisUrl === null ? '' : `\n  Redis           ${run.redisUrl}`}
  State           ${stateDir} (processes and databases: run.json)
  Logs            ${logDir}

Stock an item, open an account, place an order:

  API=${run.http} KEY=${run.apiKey} ORDER_KEY=first-order-$(date +%s)
  curl -sX PUT $API/v1/stock/tea -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
    -H "Idempotency-Key: tea-of-$ORDER_KEY" \\
    -d '{"onHand":100,"unitPrice":250,"currency":"EUR"}'; echo
  curl -sX PUT $API/v1/accounts/ada -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
    -H "Idempotency-Key: ada-of-$ORDER_KEY" \\
    -d '{"balance":10000,"currency":"EUR"}'; echo
  curl -sX POST $API/v1/orders -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
    -H "Idempotency-Key: $ORDER_KEY" -H 'Prefer: wait=10' \\
    -d '${JSON.stringify(order)}'; echo

Send the last one again with the same key: nothing happens twice. \`npm run audit\` checks the books. Ctrl-C stops.
`;
}

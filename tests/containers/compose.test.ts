/** docker-compose.yml, as a user starts it: the images are those of this tree, everything else is as it stands there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@holdfast/testing';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { docker, REPOSITORY } from './docker.ts';
import { RUN_NAME } from './leftovers.ts';
import { SERVICES } from './system.ts';

const OF_THE_PROJECT = ['--filter', `label=com.docker.compose.project=${RUN_NAME}`];
const HEALTHY_WITHIN_MS = 60_000;
const UP_TIMEOUT_MS = 240_000;

let env: Record<string, string> | undefined;

async function compose(args: string[], timeoutMs = UP_TIMEOUT_MS): Promise<string> {
  env ??= {
    HOLDFAST_VERSION: 'test',
    API_PORT: String(await freePort()),
    API_PORT_2: String(await freePort()),
    DEMO_ORDERS: '150',
  };
  return await docker(['compose', '--project-name', RUN_NAME, ...args], { env, timeoutMs });
}

async function call(port: string, method: string, path: string, body?: object, key?: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      authorization: 'Bearer local-key-for-this-machine-only',
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key, prefer: 'wait=20' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: (await response.json()) as { status?: string } };
}

async function placeOrder(port: string, key: string): Promise<void> {
  const stock = await call(port, 'PUT', '/v1/stock/tea', { onHand: 100, unitPrice: 250, currency: 'EUR' });
  expect(stock.status).toBe(200);
  const order = {
    customerId: 'ada',
    currency: 'EUR',
    items: [{ sku: 'tea', quantity: 2 }],
    payment: { method: 'pm_card_visa' },
    shipTo: { name: 'Ada', line1: 'Main Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  };
  expect(await call(port, 'POST', '/v1/orders', order, key)).toMatchObject({
    status: 201,
    body: { status: 'completed' },
  });
}

interface Running {
  service: string;
  /** Of this machine, through which it can be reached. */
  ports: string[];
  /** By network. */
  addresses: Record<string, string>;
}

async function inspectAll(): Promise<Running[]> {
  const ids = (await docker(['ps', '--quiet', ...OF_THE_PROJECT])).split('\n');
  const inspected = JSON.parse(await docker(['inspect', ...ids])) as {
    Config: { Labels: Record<string, string> };
    NetworkSettings: {
      Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
      Networks: Record<string, { IPAddress: string }>;
    };
  }[];
  return inspected.map(({ Config, NetworkSettings: { Ports, Networks } }) => ({
    service: Config.Labels['com.docker.compose.service'] ?? '',
    ports: Object.values(Ports).flatMap((bound) =>
      (bound ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
    ),
    addresses: Object.fromEntries(Object.entries(Networks).map(([name, { IPAddress }]) => [name, IPAddress])),
  }));
}

/** Names of the volumes and networks that the project's containers use, whoever they belong to. */
async function inUse(): Promise<string[]> {
  const ids = (await docker(['ps', '--all', '--quiet', ...OF_THE_PROJECT])).split('\n');
  const names = '{{range .Mounts}}{{.Name}} {{end}}{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}';
  const inspected = await docker(['inspect', '--format', names, ...ids]);
  return [...new Set(inspected.split(/\s+/))].filter((name) => name !== '');
}

/** Whether a connection to port 8080 of `address` can be opened from within `service`. */
async function reaches(service: string, address = 'none'): Promise<boolean> {
  const connect = `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/8080' && echo reached || echo not reached`;
  return (await compose(['exec', '-T', service, 'sh', '-c', connect])) === 'reached';
}

describe.skipIf(inject('engine') === undefined)('docker compose', () => {
  afterAll(() => compose(['--profile', 'demo', '--profile', 'replicas', 'down', '--volumes', '--timeout', '20']));

  it('up: everything is healthy within 60 s, and an order completes through the published port', async () => {
    const startedAtMs = performance.now();
    await compose(['up', '--detach', '--wait', '--no-build']);
    const tookMs = performance.now() - startedAtMs;
    console.log(`docker compose up: healthy after ${(tookMs / 1_000).toFixed(1)} s`);
    await placeOrder(env?.API_PORT ?? '', 'compose-first-order');
    expect(tookMs).toBeLessThan(HEALTHY_WITHIN_MS);
  });

  it("exports the metric that the orchestrators' autoscaler asks for", async () => {
    const { spec } = parse(
      readFileSync(join(REPOSITORY, 'deploy/kubernetes/base/orchestrator/autoscaler.yaml'), 'utf8'),
    );
    const [metric] = spec.metrics.flatMap(
      ({ pods }: { pods?: { metric: { name: string } } }) => pods?.metric.name ?? [],
    );
    const onTheApi = await fetch(`http://127.0.0.1:${env?.API_PORT}/metrics`, { signal: AbortSignal.timeout(5_000) });
    expect(onTheApi.status).toBe(401);
    // As Prometheus would, from another container of the network.
    const read = 'fetch("http://orchestrator:9050/metrics").then((page) => page.text()).then(console.log)';
    const metrics = await compose(['exec', '-T', 'inventory', 'node', '-e', read]);
    expect(metrics).toMatch(new RegExp(`^${metric}({.*})? [0-9]+$`, 'm'));
  });

  it('--profile replicas up: a second of everything joins, and both orchestrators take orders', async () => {
    await compose(['--profile', 'replicas', 'up', '--detach', '--wait', '--no-build']);
    for (const port of [env?.API_PORT, env?.API_PORT_2]) await placeOrder(port ?? '', `compose-replicas-${port}`);
    const both = await compose(['exec', '-T', 'orchestrator', 'getent', 'ahostsv4', 'inventory']);
    expect(new Set(both.split('\n').map((line) => line.split(' ')[0])).size).toBe(2);
  });

  it('publishes the API and nothing else, on this machine alone, and lets nothing else out', async () => {
    const containers = await inspectAll();
    const published = containers.flatMap(({ service, ports }) => ports.map((port) => `${service} ${port}`));
    expect(published.sort()).toEqual([
      `orchestrator 127.0.0.1:${env?.API_PORT}`,
      `orchestrator-2 127.0.0.1:${env?.API_PORT_2}`,
    ]);
    // By what holds the network together, not by routes: before Docker 28 a container of an internal network has a default
    // route too, and the engine's firewall drops what takes it.
    const internal = (await docker(['network', 'ls', ...OF_THE_PROJECT, '--format', '{{.Name}} {{.Internal}}']))
      .split('\n')
      .flatMap((line) => (line.endsWith(' true') ? [line.split(' ')[0]] : []));
    expect(internal).toEqual([`${RUN_NAME}_inside`]);
    for (const { service, addresses } of containers) {
      if (!service.startsWith('orchestrator')) expect(Object.keys(addresses), service).toEqual(internal);
    }
    const orchestrator = containers.find(({ service }) => service === 'orchestrator')?.addresses ?? {};
    expect(await reaches('payment', orchestrator[`${RUN_NAME}_inside`])).toBe(true);
    expect(await reaches('payment', orchestrator[`${RUN_NAME}_edge`]), 'out of the internal network').toBe(false);
  });

  it('a service can open its own database and no other', async () => {
    const roles = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'];
    const databases = [...roles, 'postgres', 'template1'];
    const script = `
      for role in ${roles.join(' ')}; do for database in ${databases.join(' ')}; do
        PGPASSWORD=$role-local psql --host=127.0.0.1 --username=$role --dbname=$database --command='select 1' 2>&1 |
          grep -q 'permission denied for database' && echo "$role refused $database" || echo "$role opened $database"
      done; done`;
    const said = await compose(['exec', '-T', 'postgres', 'sh', '-c', script]);
    expect(said.split('\n').filter((line) => line.includes('opened'))).toEqual(
      roles.map((own) => `${own} opened ${own}`),
    );
    expect(said.split('\n')).toHaveLength(roles.length * databases.length);
  });

  it('--profile demo up: the demo runs, the auditor is content, the exit code says so', async () => {
    const said = await compose(
      ['--profile', 'demo', 'up', '--no-build', '--no-color', '--abort-on-container-exit', '--exit-code-from', 'demo'],
      UP_TIMEOUT_MS + 60_000,
    );
    expect(said).toMatch(/✔ +money/);
    expect(said).toContain('Nothing charged twice, nothing oversold, nothing lost.');
    expect(said).toMatch(/cut off {4}[1-9]/);
  });

  it.each(SERVICES)('reads the file of %s alone', async (service) => {
    const others = ['API_KEYS', 'INVENTORY_ADDR', 'PAYMENT_ADDR', 'SHIPPING_ADDR'];
    const settings = ['CERTIFICATES', 'DATABASE_URL', ...(service === 'orchestrator' ? others : [])];
    // A folder: a word alone would be the name of a volume.
    const given = Object.fromEntries(settings.map((name) => [name, './given']));
    const config = ['compose', '--file', `deploy/compose/${service}.yml`, 'config', '--format', 'json'];
    const read = JSON.parse(await docker(config, { env: given }));
    expect(Object.keys(read.services).sort()).toEqual([service, 'migrate'].sort());
    // One at a time: of several that are missing Compose names one, and by chance which.
    for (const name of settings) {
      await expect(docker(config, { env: { ...given, [name]: '' } }), `without ${name}`).rejects.toThrow(name);
    }
  });

  it('down --volumes leaves nothing', async () => {
    const used = await inUse();
    expect(used).toContain(`${RUN_NAME}_postgres`);
    await compose(['--profile', 'demo', '--profile', 'replicas', 'down', '--volumes', '--timeout', '20']);
    for (const list of [
      ['ps', '--all'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ]) {
      expect(await docker([...list, '--quiet', ...OF_THE_PROJECT]), list.join(' ')).toBe('');
    }
    // What is not the project's own carries no label of it, and stays.
    const [volumes, networks] = await Promise.all([
      docker(['volume', 'ls', '--format', '{{.Name}}']),
      docker(['network', 'ls', '--format', '{{.Name}}']),
    ]);
    const left = `${volumes}\n${networks}`.split('\n');
    expect(used.filter((name) => left.includes(name))).toEqual([]);
  });
});

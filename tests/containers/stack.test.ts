/** deploy/swarm, really deployed: on this engine as a swarm of one node. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keepCertificates, LOCAL_HOLDERS } from '@holdfast/certificates';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { docker } from './docker.ts';
import { initSwarm, RUN_NAME as STACK } from './leftovers.ts';

const SERVICES = ['orchestrator', 'inventory', 'payment', 'shipping'];
const API_KEY = 'stack-test-key-0123456789';
const NEXT = 'test-next';
const SANDBOX_IMAGE = 'holdfast-sandbox:test';
const CONVERGE_TIMEOUT_MS = 240_000;
/** Three deployments, each of four services, and orders all the time. */
const TEST_TIMEOUT_MS = 600_000;
/** It stops every task first. */
const LEAVE_TIMEOUT_MS = 180_000;

let swarmIsOurs = false;
let loads = 0;

const databaseUrl = (name: string, role = name) => `postgres://${role}:try-out@postgres:5432/${name}`;

/** As docs/deploy.md asks for. */
async function makeSecrets(): Promise<void> {
  const secrets: Record<string, string> = {
    'redis-url': 'redis://redis:6379',
    'order-events-keys': 'try-out:known-to-everybody-who-tries-this-out',
    'stripe-secret-key': 'sk_test_holdfast',
    'api-keys': `shop:${API_KEY}`,
    ...Object.fromEntries(SERVICES.map((name) => [`${name}-database-url`, databaseUrl(name)])),
    ...Object.fromEntries(SERVICES.map((name) => [`${name}-owner-database-url`, databaseUrl(name, `${name}_owner`)])),
  };
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
  try {
    const made = await keepCertificates(join(folder, 'tls'), LOCAL_HOLDERS, new Date());
    for (const name of SERVICES) {
      const { ca, cert, key } = made[name] ?? { ca: '', cert: '', key: '' };
      secrets[`${name}-tls-cert`] = readFileSync(cert, 'utf8');
      secrets[`${name}-tls-key`] = readFileSync(key, 'utf8');
      secrets['tls-ca'] = readFileSync(ca, 'utf8');
    }
    for (const [name, value] of Object.entries(secrets)) {
      await writeFile(join(folder, name), value);
      await docker(['secret', 'create', `${STACK}-${name}`, join(folder, name)]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function deploy(version: string, replicas: number): Promise<void> {
  const files = ['deploy/swarm/stack.yml', 'deploy/swarm/try-out.yml'].flatMap((file) => ['--compose-file', file]);
  await docker(['stack', 'deploy', ...files, '--resolve-image', 'never', STACK], {
    env: {
      HOLDFAST_VERSION: version,
      REPLICAS: String(replicas),
      SECRETS: STACK,
      SANDBOX_IMAGE,
      STRIPE_API_BASE: 'http://sandbox:8080',
      CARRIER_URL: 'http://sandbox:8080/carrier',
      // A slow machine is not what this test is about.
      ORDER_DEADLINE_MS: '300000',
    },
  });
}

/** Returns when every service runs `version` in so many replicas, none of them older. */
async function untilConverged(version: string, replicas: number): Promise<void> {
  const deadlineAtMs = performance.now() + CONVERGE_TIMEOUT_MS;
  for (;;) {
    const missing = await notConverged(version, replicas);
    if (missing.length === 0) return;
    if (performance.now() > deadlineAtMs) throw new Error(`not converged: ${missing.join('; ')}`);
    await delay(1_000);
  }
}

/** What there still is to be done, one line for each service that has something. */
async function notConverged(version: string, replicas: number): Promise<string[]> {
  const wanted = [
    ...SERVICES.map((service) => ({ service, image: `holdfast-${service}:${version}`, replicas })),
    { service: 'sandbox', image: SANDBOX_IMAGE, replicas: 1 },
  ];
  const names = wanted.map(({ service }) => `${STACK}_${service}`);
  const update = '{{.Spec.Name}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}completed{{end}}';
  const task = '{{.Name}} {{.Image}} {{.CurrentState}} {{.Error}}';
  const [updates, tasks] = await Promise.all([
    docker(['service', 'inspect', '--format', update, ...names]),
    docker(['service', 'ps', '--filter', 'desired-state=running', '--format', task, ...names]),
  ]);
  return wanted.flatMap(({ service, image, replicas }) => {
    const state = updates.split('\n').find((line) => line.startsWith(`${STACK}_${service} `));
    const own = tasks.split('\n').filter((line) => line.startsWith(`${STACK}_${service}.`));
    const running = own.filter((line) => line.includes(` ${image} Running `));
    const converged = state?.endsWith(' completed') && running.length === replicas && own.length === replicas;
    return converged ? [] : [`${state}: ${own.join(', ')}`];
  });
}

/** Customers inside the stack's network: orders placed, then the books checked. @returns what the auditor printed */
async function placeOrders(orders: number): Promise<string> {
  const name = `${STACK}_load-${++loads}`;
  const settings = {
    API_URL: 'http://orchestrator:8080',
    API_KEY,
    SANDBOX_URL: 'http://sandbox:8080',
    AUDITOR_DATABASE_URL: 'postgres://auditor:try-out@postgres:5432/',
    CHAOS_DATABASE_URL: 'postgres://demo:try-out@postgres:5432/postgres',
  };
  await docker([
    ...['service', 'create', '--detach', '--quiet', '--no-resolve-image', '--no-healthcheck', '--name', name],
    ...['--mode', 'replicated-job', '--restart-condition', 'none', '--network', `${STACK}_inside`],
    ...['--label', `com.docker.stack.namespace=${STACK}`],
    ...Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...['--entrypoint', 'node /app/service/src/composed.ts', 'holdfast-demo:test'],
    ...['--no-faults', '--orders', String(orders), '--concurrency', '16', '--seed', String(loads)],
  ]);
  const deadlineAtMs = performance.now() + CONVERGE_TIMEOUT_MS;
  for (;;) {
    const state = await docker(['service', 'ps', '--format', '{{.CurrentState}}', name]);
    if (/^(Complete|Failed|Rejected|Shutdown)/.test(state)) {
      const said = await docker(['service', 'logs', '--raw', name]);
      expect(state, said.slice(-4_000)).toMatch(/^Complete/);
      return said;
    }
    if (performance.now() > deadlineAtMs) throw new Error(`the load is ${state}`);
    await delay(1_000);
  }
}

describe.skipIf(inject('engine') === undefined)('the Swarm stack', () => {
  beforeAll(async () => {
    const state = await docker(['info', '--format', '{{.Swarm.LocalNodeState}}']);
    if (state === 'inactive') {
      swarmIsOurs = true;
      await initSwarm();
    }
    const fault = await docker(['info', '--format', '{{.Swarm.Error}}']);
    expect(fault, 'the swarm of this engine is broken: docker swarm leave --force').toBe('');
    await makeSecrets();
    // Another release as Swarm sees it: another image name.
    for (const service of SERVICES) {
      await docker(['tag', `holdfast-${service}:test`, `holdfast-${service}:${NEXT}`]);
    }
  });
  afterAll(async () => {
    await docker(['stack', 'rm', STACK], { timeoutMs: LEAVE_TIMEOUT_MS });
    if (swarmIsOurs) {
      await docker(['swarm', 'leave', '--force'], { timeoutMs: LEAVE_TIMEOUT_MS });
    } else {
      const secrets = await docker(['secret', 'ls', '--quiet', '--filter', `name=${STACK}-`]);
      await docker(['secret', 'rm', ...secrets.split('\n')]);
    }
  });

  it(
    'S1, A1: is deployed, scaled to two and rolled over to another release under load without a lost order',
    async () => {
      await deploy('test', 1);
      await untilConverged('test', 1);
      let changing = true;
      const rates: string[] = [];
      const change = async () => {
        await deploy('test', 2);
        await untilConverged('test', 2);
        await deploy(NEXT, 2);
        await untilConverged(NEXT, 2);
        changing = false;
      };
      // Again and again, so that there are orders under way all the time; the last ones meet the new release alone.
      const load = async () => {
        for (let last = false; !last; ) {
          last = !changing;
          const said = await placeOrders(200);
          expect(said).toContain('Nothing charged twice, nothing oversold, nothing lost.');
          rates.push(/rate\s+(\d+) orders\/s/.exec(said)?.[1] ?? '?');
        }
      };
      await Promise.all([change(), load()]);
      console.log(`swarm: ${rates.length} times 200 orders at ${rates.join(', ')} orders/s`);
    },
    TEST_TIMEOUT_MS,
  );
});

/**
 * The whole system in containers on a network of its own, hardened as in production, and what an operator sees happen to
 * them: killed, paused, cut off, restarted, replaced by another version.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { auditSystem, booksAt } from '@holdfast/auditor';
import { freePort } from '@holdfast/testing';
import type { AuditReport } from '@holdfast/testing/audit';
import { RedisContainer } from '@testcontainers/redis';
import type { GenericContainer } from 'testcontainers';
import { docker, REPOSITORY } from './docker.ts';
import {
  HardenedContainer,
  inside,
  POSTGRES_ANSWERS,
  PostgresContainer,
  probeOf,
  STARTUP_TIMEOUT_MS,
  untilDone,
} from './hardened-container.ts';
import { RUN_LABEL, RUN_LABEL_OPTION } from './leftovers.ts';

const PARTICIPANTS = ['inventory', 'payment', 'shipping'] as const;
export const SERVICES = [...PARTICIPANTS, 'orchestrator'] as const;
export type Service = (typeof SERVICES)[number];

export const API_KEY = 'container-tests-key';
const HTTP_PORT = 8_080;
const POSTGRES_PORT = 5_432;
/** Short, so that a test need not wait long for sagas to be taken over. */
const LEASE_MS = 3_000;

/** A replica of a service. */
export interface Replica {
  service: Service;
  /** The container's. */
  id: string;
  image: string;
  /** Of the API, for an orchestrator. */
  api: string | undefined;
}

export interface ContainerSystem {
  /** Of the APIs that are up now; changes when orchestrators come and go. */
  readonly apis: readonly string[];
  readonly sandbox: string;
  replica(service: Service): Replica;
  /** Another replica of a service, from the images of `tag`. Returns when it is ready. */
  add(service: Service, tag: string): Promise<Replica>;
  /** The job `migrate` of a service, from the images of `tag`. @throws Error with what it said when it fails */
  migrate(service: Service, tag: string): Promise<void>;
  /** SIGTERM, 15 s at most, and away with it. @returns its exit code */
  remove(replica: Replica): Promise<number>;
  /** SIGKILL to the container, and it is started again, as whoever runs containers does. Returns when it is ready. */
  crash(replica: Replica): Promise<void>;
  /** Every process of it stands still for so long. */
  pause(replica: Replica, forMs: number): Promise<void>;
  /** Nothing comes to it and nothing from it for so long. */
  cutOff(replica: Replica, forMs: number): Promise<void>;
  restartPostgres(): Promise<void>;
  stopRedis(): Promise<void>;
  startRedis(): Promise<void>;
  audit(): Promise<AuditReport>;
  stop(): Promise<void>;
}

interface Options {
  /** Of the services' images. */
  tag: string;
  /** Starts Postgres when everybody else is waiting for it already. */
  postgresLast?: boolean;
}

const passwordOf = (role: string) => `${role}-in-tests`;

/** Starts everything and returns when orders can be placed. */
export async function startContainers({ tag, postgresLast = false }: Options): Promise<ContainerSystem> {
  const system = new System();
  try {
    await system.start(tag, postgresLast);
    return system;
  } catch (error) {
    await system.stop();
    throw error;
  }
}

class System implements ContainerSystem {
  readonly #network = `holdfast-test-${randomBytes(4).toString('hex')}`;
  readonly #replicas: Replica[] = [];
  #postgres = '';
  #postgresPort = 0;
  #redis = '';
  sandbox = '';

  get apis(): readonly string[] {
    return this.#replicas.flatMap(({ api }) => api ?? []);
  }

  replica(service: Service): Replica {
    const found = this.#replicas.findLast((replica) => replica.service === service);
    if (found === undefined) throw new Error(`no ${service} runs`);
    return found;
  }

  async start(tag: string, postgresLast: boolean): Promise<void> {
    await docker(['network', 'create', ...RUN_LABEL_OPTION, this.#network]);
    const services = () => Promise.all([this.#startSandbox(), ...SERVICES.map((service) => this.add(service, tag))]);
    await this.#startRedis();
    if (!postgresLast) await this.#startPostgres();
    await Promise.all([services(), postgresLast && this.#onceAwaited().then(() => this.#startPostgres())]);
  }

  /** The outside world: of this tree, whatever release is under test. */
  async #startSandbox(): Promise<void> {
    const sandboxPort = await freePort();
    this.sandbox = `http://127.0.0.1:${sandboxPort}`;
    const image = 'holdfast-sandbox:test';
    const sandbox = this.#ours('sandbox', image, await probeOf(image)).publish(HTTP_PORT, sandboxPort);
    await this.#launch(sandbox.withEnvironment({ DATABASE_URL: this.#databaseUrl('sandbox') }));
  }

  /** Returns when the services and the sandbox have said that they wait for their databases. */
  async #onceAwaited(): Promise<void> {
    const deadlineAtMs = performance.now() + STARTUP_TIMEOUT_MS;
    for (;;) {
      const ids = await docker(['ps', '--quiet', '--filter', `network=${this.#network}`]);
      const logs = await Promise.all(ids.split('\n').map((id) => docker(['logs', id])));
      if (logs.filter((log) => log.includes('the database does not answer')).length === 5) return;
      if (performance.now() > deadlineAtMs) throw new Error(`not everybody waits: ${logs.join('\n').slice(-2_000)}`);
      await delay(250);
    }
  }

  async add(service: Service, tag: string): Promise<Replica> {
    const image = `holdfast-${service}:${tag}`;
    const container = this.#ours(service, image, await probeOf(image)).withEnvironment(this.#settings(service));
    const port = service === 'orchestrator' ? await freePort() : undefined;
    if (port !== undefined) container.publish(HTTP_PORT, port);
    const id = await this.#launch(container);
    const replica = { service, id, image, api: port === undefined ? undefined : `http://127.0.0.1:${port}` };
    this.#replicas.push(replica);
    return replica;
  }

  async migrate(service: Service, tag: string): Promise<void> {
    const hardened = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    const database = ['--network', this.#network, '--env', `DATABASE_URL=${this.#databaseUrl(service)}`];
    const job = ['run', '--rm', ...RUN_LABEL_OPTION, ...hardened, ...database, `holdfast-${service}:${tag}`, 'migrate'];
    await docker(job, { timeoutMs: STARTUP_TIMEOUT_MS });
  }

  async remove(replica: Replica): Promise<number> {
    await docker(['stop', '--time', '15', replica.id]);
    const code = Number(await docker(['inspect', '--format', '{{.State.ExitCode}}', replica.id]));
    await docker(['rm', '--volumes', replica.id]);
    this.#replicas.splice(this.#replicas.indexOf(replica), 1);
    return code;
  }

  async crash(replica: Replica): Promise<void> {
    await docker(['kill', replica.id]);
    await docker(['start', replica.id]);
    await this.#untilReady(replica);
  }

  async pause(replica: Replica, forMs: number): Promise<void> {
    await docker(['pause', replica.id]);
    await delay(forMs);
    await docker(['unpause', replica.id]);
    await this.#untilReady(replica);
  }

  async cutOff(replica: Replica, forMs: number): Promise<void> {
    await docker(['network', 'disconnect', this.#network, replica.id]);
    await delay(forMs);
    await docker(['network', 'connect', '--alias', replica.service, this.#network, replica.id]);
    await this.#untilReady(replica);
  }

  async restartPostgres(): Promise<void> {
    await docker(['kill', this.#postgres]);
    await docker(['start', this.#postgres]);
    await inside(this.#postgres, untilDone(POSTGRES_ANSWERS));
  }

  async stopRedis(): Promise<void> {
    await docker(['kill', this.#redis]);
  }

  async startRedis(): Promise<void> {
    await docker(['start', this.#redis]);
  }

  audit(): Promise<AuditReport> {
    const url = (name: string) => `postgres://auditor:${passwordOf('auditor')}@127.0.0.1:${this.#postgresPort}/${name}`;
    return auditSystem(booksAt(url, this.sandbox));
  }

  async stop(): Promise<void> {
    // By label and network, not by what was started well: a container that never became healthy is there too.
    const ids = await docker(['ps', '--all', '--quiet', '--filter', `network=${this.#network}`]);
    if (ids !== '') await docker(['rm', '--force', '--volumes', ...ids.split('\n')]);
    await docker(['network', 'rm', this.#network]);
  }

  async #startPostgres(): Promise<void> {
    this.#postgresPort = await freePort();
    const roles = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox', 'auditor'];
    const passwords = roles.map((role) => [`${role.toUpperCase()}_DB_PASSWORD`, passwordOf(role)]);
    const container = new PostgresContainer()
      .withDatabase('postgres')
      .withUsername('postgres')
      .withPassword(passwordOf('postgres'))
      .withNetworkMode(this.#network)
      .withNetworkAliases('postgres')
      .publish(POSTGRES_PORT, this.#postgresPort)
      .withEnvironment(Object.fromEntries(passwords))
      .withCopyFilesToContainer([
        {
          source: join(REPOSITORY, 'deploy/postgres/databases.sh'),
          target: '/docker-entrypoint-initdb.d/databases.sh',
          mode: 0o755,
        },
      ])
      // Tests crash processes, never the machine: what the operating system has been given survives all of them.
      .withCommand(['postgres', '-c', 'max_connections=400', '-c', 'fsync=off', '-c', 'full_page_writes=off'])
      .withLabels(RUN_LABEL);
    this.#postgres = await this.#launch(container);
  }

  async #startRedis(): Promise<void> {
    const container = new RedisContainer(process.env.REDIS_IMAGE ?? 'redis:7')
      .withNetworkMode(this.#network)
      .withNetworkAliases('redis')
      .withLabels(RUN_LABEL);
    this.#redis = await this.#launch(container);
  }

  #databaseUrl(name: string): string {
    return `postgres://${name}:${passwordOf(name)}@postgres:${POSTGRES_PORT}/${name}`;
  }

  #settings(service: Service): Record<string, string> {
    const own: Record<Service, Record<string, string>> = {
      inventory: {},
      payment: {
        STRIPE_SECRET_KEY: 'sk_test_holdfast',
        STRIPE_API_BASE: `http://sandbox:${HTTP_PORT}`,
        STRIPE_TIMEOUT_MS: '2000',
      },
      shipping: { CARRIER_URL: `http://sandbox:${HTTP_PORT}/carrier`, CARRIER_TIMEOUT_MS: '2000' },
      orchestrator: {
        INVENTORY_ADDR: 'dns:///inventory:50051',
        PAYMENT_ADDR: 'dns:///payment:50051',
        SHIPPING_ADDR: 'dns:///shipping:50051',
        API_KEYS: `shop:${API_KEY}`,
        LEASE_MS: String(LEASE_MS),
        // A slow machine is not what these tests are about.
        ORDER_DEADLINE_MS: '300000',
      },
    };
    return { DATABASE_URL: this.#databaseUrl(service), REDIS_URL: 'redis://redis:6379', ...own[service] };
  }

  /** A container of one of our images, with no more rights than production gives it. */
  #ours(app: string, image: string, probe: string): HardenedContainer {
    return (
      new HardenedContainer(image, probe)
        .withNetworkMode(this.#network)
        .withNetworkAliases(app)
        // Releases run side by side here, and the last one speaks in clear text alone; compose.test.ts is about certificates.
        .withEnvironment({ MIGRATE_ON_START: 'true', ALLOW_PLAINTEXT: 'true' })
        .withLabels(RUN_LABEL)
    );
  }

  async #launch(container: GenericContainer): Promise<string> {
    try {
      return (await container.start()).getId();
    } catch (error) {
      throw new Error(`a container did not start: ${await this.#lastWords()}`, { cause: error });
    }
  }

  /** What containers of this system that ended have said. */
  async #lastWords(): Promise<string> {
    const ended = ['--filter', `network=${this.#network}`, '--filter', 'status=exited', '--quiet'];
    const ids = (await docker(['ps', '--all', ...ended])).split('\n').filter((id) => id !== '');
    const said = await Promise.all(ids.map((id) => docker(['logs', '--tail', '20', id])));
    return said.join('\n') || 'none has ended; not ready in time';
  }

  async #untilReady({ id, image }: Replica): Promise<void> {
    await inside(id, untilDone(await probeOf(image)));
  }
}

/**
 * Containers with no more rights than production gives them, published on loopback alone, and how the tests learn that they
 * are ready.
 */
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer, Wait } from 'testcontainers';
import { docker } from './docker.ts';

export const STARTUP_TIMEOUT_MS = 120_000;
export const POSTGRES_ANSWERS = 'pg_isready --host=127.0.0.1 --quiet';

export async function inside(id: string, command: string): Promise<void> {
  await docker(['exec', id, 'sh', '-c', command], { timeoutMs: STARTUP_TIMEOUT_MS + 10_000 });
}

/** The image's own probe, as HEALTHCHECK names it: an older release has another. */
export async function probeOf(image: string): Promise<string> {
  const [how, ...probe] = JSON.parse(await docker(['inspect', '--format', '{{json .Config.Healthcheck.Test}}', image]));
  if (how !== 'CMD') throw new Error(`${image} has no HEALTHCHECK that names a program`);
  return probe.join(' ');
}

/** Asked from inside, and only while a container starts: every question costs a process. */
export function untilDone(command: string): string {
  return `timeout ${STARTUP_TIMEOUT_MS / 1_000} sh -c 'until ${command}; do sleep 0.2; done'`;
}

/** The engine asks for nobody's health: the tests ask when they want to know. */
const UNASKED = { test: ['NONE'] as unknown as ['CMD', ...string[]] };

export class HardenedContainer extends GenericContainer {
  /** @param probe says when it is ready */
  constructor(image: string, probe: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges:true').withTmpFs({ '/tmp': 'size=16m' });
    this.withResourcesQuota({ memory: 0.25 }).withHealthCheck(UNASKED);
    this.withStartupTimeout(STARTUP_TIMEOUT_MS).withWaitStrategy(Wait.forSuccessfulCommand(untilDone(probe)));
  }

  publish(port: number, at: number): this {
    this.withExposedPorts({ container: port, host: at });
    this.hostConfig.PortBindings = onLoopback(port, at);
    return this;
  }
}

export class PostgresContainer extends PostgreSqlContainer {
  constructor() {
    super(process.env.POSTGRES_IMAGE ?? 'postgres:18');
    this.withHealthCheck(UNASKED);
    this.withStartupTimeout(STARTUP_TIMEOUT_MS).withWaitStrategy(
      Wait.forSuccessfulCommand(untilDone(POSTGRES_ANSWERS)),
    );
  }

  publish(port: number, at: number): this {
    this.withExposedPorts({ container: port, host: at });
    this.hostConfig.PortBindings = onLoopback(port, at);
    return this;
  }
}

/** For nobody but this machine; by default a port is published to everybody who reaches it. */
function onLoopback(port: number, at: number): Record<string, { HostIp: string; HostPort: string }[]> {
  return { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(at) }] };
}

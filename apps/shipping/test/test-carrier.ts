import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testDatabase } from '@holdfast/testing';

// For tests only: the real sandbox carrier as a process of its own, and a line to it on which requests can be lost or late.

const START_TIMEOUT_MS = 20_000;

export interface TestProcess {
  child: ChildProcess;
  /** What it announced in its log. */
  ports: { httpPort: number; grpcPort?: number };
  /** SIGTERM by default; returns when it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Runs a service's main.ts with `env` alone, until it listens. */
export async function startProcess(main: URL, env: Record<string, string>): Promise<TestProcess> {
  const child = spawn(process.execPath, [fileURLToPath(main)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  // Should the tests' own process end before `end` is called.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(() => process.off('exit', kill));
  const announced = Promise.withResolvers<TestProcess['ports']>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line);
    if (entry.msg === 'listening') announced.resolve(entry);
  });
  const late = delay(START_TIMEOUT_MS, undefined, { ref: false });
  const failed = Promise.race([ended, late]).then(() => Promise.reject(new Error(`${main.pathname} did not start`)));
  // Lost races are nobody's error.
  failed.catch(() => undefined);
  const ports = await Promise.race([announced.promise, failed]);
  return {
    child,
    ports,
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

type Moment = 'request' | 'answer';

/** A request that waits on the line. */
export interface Held {
  /** Resolves when it is there (and, held at its answer, when the carrier has done it). */
  arrived: Promise<void>;
  /** Lets it go on, even when its sender has long given up. @returns the carrier's status */
  deliver(): Promise<number>;
}

export interface TestCarrier {
  /** For CARRIER_URL: through the line. */
  url: string;
  /** `<method> <path>` of every request that came along the line, in order. */
  seen: string[];
  /** Holds the next POST to `path` (below the carrier's URL) before it reaches the carrier, or before its answer is sent. */
  hold(path: string, moment: Moment): Held;
  /** While cut, connections are destroyed as they come. */
  cut(isCut: boolean): void;
  /** Rates from 0 to 1; none clears all. */
  faults(rates?: Partial<Record<'lostAnswer' | 'error500' | 'refused', number>>): Promise<void>;
  /** What the carrier's own books say of a reference; undefined when it has never heard of it. */
  statusOf(reference: string): Promise<'booked' | 'cancelled' | 'refused' | undefined>;
  stop(): Promise<void>;
}

export async function startTestCarrier(): Promise<TestCarrier> {
  const database = await testDatabase('sandbox_for_shipping', []);
  const sandbox = await startProcess(new URL('../../sandbox/src/main.ts', import.meta.url), {
    DATABASE_URL: database.databaseUrl,
    HTTP_PORT: '0',
  });
  const target = `http://127.0.0.1:${sandbox.ports.httpPort}`;
  const line = await startLine(target);
  return {
    ...line,
    url: `http://127.0.0.1:${line.port}/carrier`,
    async faults(rates = {}) {
      const none = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
      const body = JSON.stringify({ seed: 7, payments: none, carrier: { ...none, ...rates } });
      const headers = { 'content-type': 'application/json' };
      const put = await fetch(`${target}/faults`, { method: 'PUT', headers, body });
      if (put.status !== 200) throw new Error(`the sandbox refused the faults: ${await put.text()}`);
    },
    async statusOf(reference) {
      const { rows } = await database.pool.query('select status from shipments where reference = $1', [reference]);
      return rows[0]?.status;
    },
    async stop() {
      await line.close();
      await sandbox.end();
      await database.drop();
    },
  };
}

interface Gate {
  path: string;
  moment: Moment;
  arrived: PromiseWithResolvers<void>;
  released: PromiseWithResolvers<void>;
  delivered: PromiseWithResolvers<number>;
}

/** An HTTP proxy before `target`. What has reached it goes on when it is let, whether its sender still waits or not. */
async function startLine(target: string) {
  const gates: Gate[] = [];
  const seen: string[] = [];
  let isCut = false;

  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    seen.push(`${request.method} ${path.replace(/^\/carrier/, '').split('?')[0]}`);
    const body = await buffer(request);
    const at = gates.findIndex((gate) => request.method === 'POST' && path === `/carrier${gate.path}`);
    const gate = at === -1 ? undefined : gates.splice(at, 1)[0];
    if (gate?.moment === 'request') await stopAt(gate);
    const answer = await fetch(target + path, {
      method: request.method ?? 'GET',
      ...(body.byteLength > 0 && { body, headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (gate?.moment === 'answer') await stopAt(gate);
    gate?.delivered.resolve(answer.status);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  };

  const server = createServer((request, response) => {
    if (isCut) return request.socket.destroy();
    // The carrier did not answer (its fault `lostAnswer`): neither does the line.
    return pass(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    cut(value: boolean) {
      isCut = value;
    },
    hold(path: string, moment: Moment): Held {
      const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const gate: Gate = { path, moment, arrived, released, delivered: Promise.withResolvers<number>() };
      gates.push(gate);
      return {
        arrived: arrived.promise,
        deliver() {
          released.resolve();
          return gate.delivered.promise;
        },
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function stopAt(gate: Gate): Promise<void> {
  gate.arrived.resolve();
  await gate.released.promise;
}

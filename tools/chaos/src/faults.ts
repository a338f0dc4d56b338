/* Random faults on a running system, one after the other, each undone by itself; counted by kind. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ServiceName } from '@holdfast/cluster';
import type { FaultProxy, Faults } from '@holdfast/testing';
import pg from 'pg';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export const PARTICIPANTS = ['inventory', 'payment', 'shipping'] as const;

export interface Target {
  cluster: Cluster;
  /** Before each participant, and before Postgres for the orchestrators. */
  proxies: Map<string, FaultProxy>;
  leaseMs: number;
  orchestrators: number;
  say: (line: string) => void;
}

type Strike = (monkey: ChaosMonkey) => Promise<string>;

const REST_MS = { least: 200, most: 1_200 };
const TERMINATE = `select count(pg_terminate_backend(pid)) as n from pg_stat_activity
                    where datname = $1::text and pid <> pg_backend_pid()`;

/** What strikes how often, in relation to the others. */
const STRIKES: readonly (readonly [weight: number, strike: Strike])[] = [
  [5, (monkey) => monkey.kill()],
  [3, (monkey) => monkey.pause()],
  [8, (monkey) => monkey.network()],
  [2, (monkey) => monkey.terminateBackends()],
  [0.4, (monkey) => monkey.killPostgres()],
];

export class ChaosMonkey {
  readonly counts = new Map<string, number>();
  readonly #target: Target;
  readonly #random: () => number;
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(target: Target, random: RandomGenerator) {
    this.#target = target;
    this.#random = () => uniformFloat64(random);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the fault that is under way, and heals everything. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
    for (const proxy of this.#target.proxies.values()) proxy.set({});
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const kind = await this.#pickStrike()(this);
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
      await this.#rest(REST_MS.least + this.#random() * (REST_MS.most - REST_MS.least));
    }
  }

  async kill(): Promise<string> {
    const [name, replica] = this.#victim();
    await this.#target.cluster.kill(name, replica);
    return `kill -9 ${name}`;
  }

  /** SIGSTOP for up to three leases: whoever comes back is a zombie. */
  async pause(): Promise<string> {
    const [name, replica] = this.#victim();
    this.#target.cluster.pause(name, replica);
    await this.#rest(this.#random() * 3 * this.#target.leaseMs);
    this.#target.cluster.resume(name, replica);
    return `SIGSTOP ${name}`;
  }

  async network(): Promise<string> {
    const [name, proxy] = this.#pick([...this.#target.proxies]);
    const [kind, faults] = this.#pick(Object.entries(this.#networkFaults()));
    proxy.set(faults);
    if (kind === 'reset') proxy.reset();
    await this.#rest(200 + this.#random() * 2_000);
    proxy.set({});
    return `${kind} before ${name}`;
  }

  async terminateBackends(): Promise<string> {
    const name = this.#pick(['orchestrator', ...PARTICIPANTS] as const);
    const client = new pg.Client({
      connectionString: this.#target.cluster.databaseUrl(name),
      connectionTimeoutMillis: 5_000,
    });
    // A server that is just recovering, or ours being among the terminated, is no reason to end the run.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(TERMINATE, [name]);
      return `connections of ${name} terminated`;
    } catch (error) {
      this.#target.say(`  connections of ${name} could not be terminated: ${(error as Error).message}`);
      return 'nothing (Postgres did not answer)';
    } finally {
      await client.end();
    }
  }

  async killPostgres(): Promise<string> {
    await this.#target.cluster.restartPostgres('kill');
    return 'kill -9 postgres';
  }

  #networkFaults(): Record<string, Faults> {
    return {
      latency: { latencyMs: 5 + this.#random() * 300, jitterMs: this.#random() * 200 },
      'little bandwidth': { bytesPerSecond: 5_000 + this.#random() * 100_000 },
      reset: {},
      refuse: { refuse: true },
      'black hole': { blackHole: true },
      'half-open': { loseReplies: true },
      cut: { cutAfterBytes: Math.floor(this.#random() * 20_000) },
    };
  }

  #victim(): [ServiceName, number] {
    const name = this.#pick(['orchestrator', 'orchestrator', ...PARTICIPANTS] as const);
    return [name, name === 'orchestrator' ? Math.floor(this.#random() * this.#target.orchestrators) : 0];
  }

  #pickStrike(): Strike {
    let left = this.#random() * STRIKES.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, strike] of STRIKES) {
      left -= weight;
      if (left < 0) return strike;
    }
    return (STRIKES[0] as (typeof STRIKES)[number])[1];
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}

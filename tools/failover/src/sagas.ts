/* What the orchestrators' database says of the sagas of a process, asked directly: the processes are the ones on trial. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@holdfast/cluster';
import pg from 'pg';

const OWNER = `select owner_id from holdfast.owners where name = $1::text order by owner_id desc limit 1`;
const LEFT = `select count(*) filter (where owner_id = $1::bigint)::int as owned,
                     count(*) filter (where id = any($2::text[]))::int as unended
                from holdfast.sagas where ended_at is null`;
const STATES = `select state, count(*)::int as n from holdfast.sagas where id = any($1::text[]) group by state`;
const EPOCHS = `select id, epoch::int from holdfast.sagas where id = any($1::text[]) and epoch > 1`;
const POLL_MS = 20;

export interface Left {
  /** Sagas of anybody's that the process owns and that have not ended. */
  owned: number;
  /** Of the orders asked about. */
  unended: number;
}

export class SagaWatch {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async connect(cluster: Cluster): Promise<SagaWatch> {
    const connectionString = cluster.databaseUrl('orchestrator');
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, query_timeout: 10_000 });
    await client.connect();
    return new SagaWatch(client);
  }

  /** @throws Error when it has no lease */
  async ownerOf(name: string): Promise<string> {
    const { rows } = await this.#client.query<{ owner_id: string }>(OWNER, [name]);
    if (rows[0] === undefined) throw new Error(`${name} has no lease`);
    return rows[0].owner_id;
  }

  async left(ownerId: string, ids: string[]): Promise<Left> {
    const { rows } = await this.#client.query<Left>(LEFT, [ownerId, ids]);
    return rows[0] ?? { owned: 0, unended: 0 };
  }

  /** @returns milliseconds since `since` until what is left satisfies `enough`. @throws Error after `withinMs` */
  async until(ownerId: string, ids: string[], enough: (left: Left) => boolean, since: number, withinMs = 60_000) {
    for (;;) {
      const left = await this.left(ownerId, ids);
      const tookMs = performance.now() - since;
      if (enough(left)) return tookMs;
      if (tookMs > withinMs) throw new Error(`${left.owned} owned, ${left.unended} not ended after ${withinMs} ms`);
      await delay(POLL_MS);
    }
  }

  async states(ids: string[]): Promise<Map<string, number>> {
    const { rows } = await this.#client.query<{ state: string; n: number }>(STATES, [ids]);
    return new Map(rows.map(({ state, n }) => [state, n]));
  }

  /** Those that have had another owner. */
  async adopted(ids: string[]): Promise<string[]> {
    const { rows } = await this.#client.query<{ id: string }>(EPOCHS, [ids]);
    return rows.map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

import { statement } from '@holdfast/postgres';
import type { Clock, Database, SagaLog, SagaMetrics } from '../engine/ports.ts';

// Names of definitions are found one after the other, each by one look into the index: of those that this process knows any
// number of sagas may wait. None of them counts as left alone before it is due. Those are ordered only so that the index is
// asked, and not the whole table.
export const UNKNOWN = statement(
  'saga.unknown-definitions',
  `with recursive names as (
     (select definition from holdfast.sagas where state = 'waiting' order by definition limit 1)
     union all
     select (select s.definition from holdfast.sagas s
              where s.state = 'waiting' and s.definition > names.definition order by s.definition limit 1)
       from names where names.definition is not null
   ), strange as (
     (select definition from holdfast.sagas
       where ended_at is null and state <> 'parked' and state <> 'waiting' and definition <> all($1::text[])
       limit 1000)
     union all
     select due.definition
       from (select definition from names limit 100) as names
      cross join lateral (
        select s.definition from holdfast.sagas s
         where s.state = 'waiting' and s.definition = names.definition and s.wake_at <= statement_timestamp()
         order by s.wake_at, s.id limit 1000) as due
      where names.definition <> all($1::text[])
   )
   select definition, count(*) as sagas from strange group by definition order by definition limit 20`,
);

const EVERY_MS = 60_000;

/** What this process needs to know of sagas that it can't run: of another service, or of a version that it does not have. */
export interface StrangersContext {
  pool: Database;
  clock: Clock;
  log: SagaLog;
  metrics?: SagaMetrics | undefined;
  /** Definitions that this process knows. */
  definitions: string[];
}

/**
 * Counts once a minute the sagas that are left alone because this process does not know their definition, and warns of each
 * definition once: services of different definitions may share a database, and each would warn of the other's sagas for ever.
 */
export class Strangers {
  readonly #context: StrangersContext;
  /** Names of definitions. Each look finds 20 at most; they come from deployments, not from requests. */
  readonly #warned = new Set<string>();
  #lookAt = Number.NEGATIVE_INFINITY;

  constructor(context: StrangersContext) {
    this.#context = context;
  }

  /** Now and then. @throws what `pg` throws */
  async look(): Promise<void> {
    const { pool, clock, log, metrics, definitions } = this.#context;
    if (clock.now() < this.#lookAt) return;
    this.#lookAt = clock.now() + EVERY_MS;
    const { rows } = await pool.query<{ definition: string; sagas: number }>({ ...UNKNOWN, values: [definitions] });
    metrics?.sagasLeftAlone?.(rows.reduce((sum, { sagas }) => sum + sagas, 0));
    for (const { definition, sagas } of rows) {
      if (this.#warned.has(definition)) continue;
      this.#warned.add(definition);
      log.warn(
        { definition, sagas },
        'this engine leaves sagas alone whose definition it does not know: pass it to createEngine, or let a process run that has it',
      );
    }
  }
}

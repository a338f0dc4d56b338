import { statement } from '@holdfast/postgres';
import type { Clock, Database, SagaLog } from './ports.ts';

const UNKNOWN = statement(
  'saga.unknown-definitions',
  `select definition, count(*) as sagas
     from ((select definition from holdfast.sagas
             where ended_at is null and state <> 'parked' and state <> 'waiting' and definition <> all($1::text[])
             limit 1000)
           union all
           (select definition from holdfast.sagas where state = 'waiting' and definition <> all($1::text[]) limit 1000))
       as strange
    group by definition order by definition limit 20`,
);

const EVERY_MS = 60_000;
/** What was said is remembered so that it is said once. */
const MOST_SAID = 100;

/** What this process needs to know of sagas that it can't run: of another service, or of a version that it does not have. */
export interface StrangersContext {
  pool: Database;
  clock: Clock;
  log: SagaLog;
  /** Definitions that this process knows. */
  definitions: string[];
}

/** Says once of each definition that this process does not know that its sagas are left alone. */
export class Strangers {
  readonly #context: StrangersContext;
  readonly #said = new Set<string>();
  #lookAt = Number.NEGATIVE_INFINITY;

  constructor(context: StrangersContext) {
    this.#context = context;
  }

  /** Now and then. @throws what `pg` throws */
  async look(): Promise<void> {
    const { pool, clock, log, definitions } = this.#context;
    if (clock.now() < this.#lookAt || this.#said.size >= MOST_SAID) return;
    this.#lookAt = clock.now() + EVERY_MS;
    const { rows } = await pool.query<{ definition: string; sagas: number }>({ ...UNKNOWN, values: [definitions] });
    for (const { definition, sagas } of rows) {
      if (this.#said.has(definition)) continue;
      this.#said.add(definition);
      log.warn(
        { definition, sagas },
        'this engine leaves sagas alone whose definition it does not know: pass it to createEngine, or let a process run that has it',
      );
    }
  }
}

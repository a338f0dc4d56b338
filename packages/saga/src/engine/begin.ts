// How a saga begins: a slot is taken before its insert, and released whatever the outcome. Upholds:
// S1 Once its insert is committed, a saga runs to its end: here, or after this process's own sweep or an adopter found it.
// S2 The insert is the checkpoint before the first step; no step starts before it is known to be committed.
// Slots: one is taken for an id before its row is sent, so that no sweep of this process adopts it between commit and run.
// Every slot is released: by the run's end, by an insert that failed, or, in a transaction of the caller's, by a timer.

import { classifyPostgresError, createBatcher, inSchema, QueueFull, schemaOf, statement } from '@holdfast/postgres';
import type { SagaDefinition } from '../definition/definition.ts';
import { SAGA_ROW_COLUMNS, type SagaRow, startSagaSql } from '../journal/saga-row.ts';
import type { Clock, Database, SagaLog } from './ports.ts';
import type { Admission, Admitted } from './running-sagas.ts';

/** This process cannot start a saga now. Nothing was inserted. */
export type NotAdmitted =
  /** No room, no lease, or stopping: ask again later, or another process. */
  { kind: 'unavailable'; detail: string };

export type BeginOutcome =
  /** Its insert is committed, and it runs here. */
  | { kind: 'begun' }
  /** There is a saga with this id. Nothing was changed, whatever input was given. */
  | { kind: 'exists' }
  | NotAdmitted;

/** The outcome for a saga begun inside the caller's transaction. */
export type BeginInTransactionOutcome =
  /** It is inserted, and nothing runs before `committed` is called. */
  { kind: 'begun'; committed(): Promise<void> } | Exclude<BeginOutcome, { kind: 'begun' }>;

/** The outcome of a saga's insert: its row, or what existed before, as the caller knows it. */
export type Inserted<Existing> = { kind: 'begun'; row: SagaRow } | { kind: 'exists'; existing: Existing };

export type StartOutcome<Existing> = { kind: 'begun' } | { kind: 'exists'; existing: Existing } | NotAdmitted;

export interface BeginOptions {
  /** Default: the definition's. */
  deadlineMs?: number;
}

export interface StarterOptions<Entry extends { id: string }, Existing> {
  /**
   * Inserts all of them in one statement that holds `startSagaSql`, each with its `ownerId`. One outcome per entry, in
   * order. It has no effect when it throws, or its sagas are found by the sweep.
   */
  insert(entries: (Entry & { ownerId: number })[]): Promise<Inserted<Existing>[]>;
  /** Groups of sagas under way, and not slow, before the next group is inserted. */
  maxGroups?: number;
  /** A group that takes longer no longer holds the next one up. */
  groupMs?: number;
}

export type BeginWith = <Existing>(
  id: string,
  insert: (ownerId: number) => Promise<Inserted<Existing>>,
) => Promise<StartOutcome<Existing>>;
export type CreateStarter = <Entry extends { id: string }, Existing>(
  options: StarterOptions<Entry, Existing>,
) => (entry: Entry) => Promise<StartOutcome<Existing>>;

/** What beginning a saga needs of the engine. */
export interface BeginContext {
  db: Database;
  definitions: ReadonlyMap<string, SagaDefinition>;
  admit: (id: string) => Admission;
  released: (id: string) => Promise<void>;
  leaseMs: number;
  clock: Clock;
  log: SagaLog;
}

export const BEGIN = statement(
  'saga.begin',
  startSagaSql({
    id: 'new.id',
    definition: '$2::text',
    input: '$3::jsonb',
    ownerId: '$4::bigint',
    deadlineMs: '$5::integer',
    changedAt: '$6::timestamptz',
    source: '(select $1::text as id) new',
    ifAbsent: true,
  }),
);
// Epoch 1 and revision 0: a sweep or an adopter that was faster has raised the epoch, and the saga is its own.
const READ_COMMITTED = statement(
  'saga.read-begun',
  `select ${SAGA_ROW_COLUMNS} from holdfast.sagas
    where id = $1::text and owner_id = $2::bigint and epoch = 1 and revision = 0 and state = 'running'`,
);

/** Sagas that were accepted one by one would wait for others at each stage of their way; groups go all of it together. */
const MAX_GROUPS = 4;
const GROUP_MS = 80;

const NO_ROOM: NotAdmitted = { kind: 'unavailable', detail: 'too many sagas wait for their insert' };

interface NewSaga {
  id: string;
  definition: SagaDefinition;
  input: unknown;
  ownerId: number;
  deadlineMs: number | undefined;
}

export class Beginnings {
  readonly #context: BeginContext;

  constructor(context: BeginContext) {
    this.#context = context;
  }

  async begin(
    definition: string | SagaDefinition,
    id: string,
    input: unknown,
    { deadlineMs }: BeginOptions,
  ): Promise<BeginOutcome> {
    const known = this.#definition(definition);
    const started = await this.beginWith<undefined>(id, async (ownerId) => {
      const row = await this.#insert(this.#context.db, { id, definition: known, input, ownerId, deadlineMs });
      return row === undefined ? { kind: 'exists', existing: undefined } : { kind: 'begun', row };
    });
    return started.kind === 'exists' ? { kind: 'exists' } : started;
  }

  /**
   * Crash window: committed, and `committed()` was not called (the process died, or the caller forgot). The slot is
   * released after `leaseMs`; the row is this process's own, or a dead owner's, and the sweep that finds it runs it (S1).
   */
  async beginIn(
    tx: Database,
    definition: string | SagaDefinition,
    id: string,
    input: unknown,
    { deadlineMs }: BeginOptions,
  ): Promise<BeginInTransactionOutcome> {
    const known = this.#definition(definition);
    const slot = this.#context.admit(id);
    if (slot.kind !== 'admitted') return slot;
    let begun = false;
    try {
      const row = await this.#insert(inSchema(tx, schemaOf(this.#context.db)), {
        id,
        definition: known,
        input,
        ownerId: slot.ownerId,
        deadlineMs,
      });
      begun = row !== undefined;
    } finally {
      if (!begun) slot.release();
    }
    if (!begun) return { kind: 'exists' };
    const cancelTimer = this.#context.clock.after(this.#context.leaseMs, () => slot.release());
    return { kind: 'begun', committed: () => this.#runCommitted(slot, id).finally(cancelTimer) };
  }

  readonly beginWith: BeginWith = async (id, insert) => {
    const slot = this.#context.admit(id);
    if (slot.kind !== 'admitted') return slot;
    try {
      const inserted = await insert(slot.ownerId);
      // crash here: the saga is inserted and does not run; when our lease has run out, it is adopted.
      if (inserted.kind === 'exists') return inserted;
      slot.run(inserted.row);
      return { kind: 'begun' };
    } finally {
      // An insert whose reply was lost may have committed all the same: the sweep finds that saga (S1).
      slot.release();
    }
  };

  readonly createStarter: CreateStarter = <Entry extends { id: string }, Existing>({
    insert,
    maxGroups = MAX_GROUPS,
    groupMs = GROUP_MS,
  }: StarterOptions<Entry, Existing>) => {
    const groups = createBatcher<Entry & { ownerId: number }, Inserted<Existing>>({
      run: insert,
      lane: ({ id }) => id,
      onSettled: ({ id }) => this.#context.released(id),
      maxPipelined: maxGroups,
      slowMs: groupMs,
      concernsAll: (error) => classifyPostgresError(error) === 'unavailable',
    });
    return async (entry: Entry): Promise<StartOutcome<Existing>> => {
      try {
        return await this.beginWith(entry.id, (ownerId) => groups.submit({ ...entry, ownerId }));
      } catch (error) {
        if (error instanceof QueueFull) return NO_ROOM;
        throw error;
      }
    };
  };

  /** Read again on a connection of the pool: called by mistake after a rollback, it finds nothing and runs nothing (S2). */
  async #runCommitted(slot: Admitted, id: string): Promise<void> {
    try {
      const { rows } = await this.#context.db.query<SagaRow>({ ...READ_COMMITTED, values: [id, slot.ownerId] });
      if (rows[0] !== undefined) slot.run(rows[0]);
    } catch (error) {
      this.#context.log.warn({ err: error, sagaId: id }, 'a committed saga could not be read; the next sweep runs it');
    } finally {
      slot.release();
    }
  }

  #definition(definition: string | SagaDefinition): SagaDefinition {
    const name = typeof definition === 'string' ? definition : definition.name;
    const known = typeof definition === 'string' ? this.#newest(name) : this.#context.definitions.get(name);
    if (known === undefined) throw new TypeError(`unknown saga definition ${name}: pass it to createEngine`);
    return known;
  }

  /** Of that family; a name with its version stands for that one alone. */
  #newest(name: string): SagaDefinition | undefined {
    const versions = [...this.#context.definitions.values()].filter(({ family }) => family === name);
    return versions.sort((a, b) => b.version - a.version)[0] ?? this.#context.definitions.get(name);
  }

  async #insert(db: Database, saga: NewSaga): Promise<SagaRow | undefined> {
    const { id, definition, input, ownerId, deadlineMs = definition.deadlineMs } = saga;
    const changedAt = new Date(this.#context.clock.wallNow()).toISOString();
    const values = [id, definition.name, JSON.stringify(input), ownerId, deadlineMs, changedAt];
    const { rows } = await db.query<SagaRow>({ ...BEGIN, values });
    return rows[0];
  }
}

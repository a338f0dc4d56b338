import { statement } from '@holdfast/postgres';
import type { Database } from './ports.ts';
import { SAGA_ROW_COLUMNS, type SagaRow, type SagaSnapshot, type SagaState } from './saga-row.ts';

export type ResumeOutcome =
  | { kind: 'resumed'; snapshot: SagaSnapshot }
  | { kind: 'not-parked'; state: SagaState }
  | { kind: 'not-found' }
  /** This process has no room; try another replica or later. */
  | { kind: 'full' }
  /** This process has no lease, is stopping, or does not know the saga's definition; try another replica or later. */
  | { kind: 'unavailable'; detail: string };

// Of two resumes one finds the saga parked (S2). The new epoch shuts out whatever its former owner may still do.
const RESUME = statement(
  'saga.resume',
  `update sagas
      set state = resume_state, resume_state = null, parked = null, owner_id = $2::bigint, epoch = epoch + 1,
          revision = revision + 1, updated_at = clock_timestamp()
    where id = $1::text and state = 'parked' and definition = any($3::text[])
  returning ${SAGA_ROW_COLUMNS}`,
);

/** Takes a parked saga over, to go on where it was parked with its attempts counted afresh; null when it is not parked. */
export async function resumeParked(
  db: Database,
  id: string,
  ownerId: number,
  definitions: string[],
): Promise<SagaRow | null> {
  const { rows } = await db.query<SagaRow>({ ...RESUME, values: [id, ownerId, definitions] });
  return rows[0] ?? null;
}

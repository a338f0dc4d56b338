/*
 * The auditor for sagas of one's own: the skeleton of what `auditSystem` does for orders. It compares what every saga has
 * come to with what is there of it, in all databases and in both directions:
 *
 * A1 A completed saga has exactly one live effect of each step, one that was turned back has none, and every effect
 *    belongs to a saga.
 *
 * The sagas are read first, in one snapshot: whatever had ended by then has its effects committed. It takes no lock.
 */
import { inSchema, type Statement, statement } from '@holdfast/postgres';
import { inSnapshot, pagesOf } from './audit-read.ts';
import { type AuditCheck, tally } from './audit-report.ts';

/** Where the effects of one step are. */
export interface EffectBook {
  step: string;
  databaseUrl: string;
  /**
   * Selects `saga_id` and `live` (how many effects of it are there) of the sagas that have any, where `saga_id` is above
   * `$1::text`, in its order, `limit $2::integer`.
   */
  live: Pick<Statement, 'name' | 'text'>;
}

export interface SagaAuditSources {
  /** The database of the table `sagas`. */
  databaseUrl: string;
  /** Where that table is. Default `holdfast`. */
  schema?: string;
  effects: readonly EffectBook[];
}

export interface SagaAuditOptions {
  /** Sagas that have not ended are no violation: for a system that is working. Default false. */
  allowRunning?: boolean;
  /** Told of each, also of those beyond the first 20 that the report keeps. */
  onViolation?: (sagaId: string, detail: string) => void;
}

export interface SagaAuditReport {
  /** A1 holds when this is 0. */
  violations: number;
  /** `sagas`, then one by each step. */
  checks: AuditCheck[];
}

interface SagaRow {
  id: string;
  state: string;
}
interface EffectRow {
  saga_id: string;
  live: number;
}

const UNENDED = new Set(['running', 'waiting', 'compensating']);

const SAGAS = statement(
  'audit.all-sagas',
  'select id, state from holdfast.sagas where id > $1::text order by id limit $2::integer',
);

/** @throws what `pg` throws, when a database can't be read */
export async function auditSagas(sources: SagaAuditSources, options: SagaAuditOptions = {}): Promise<SagaAuditReport> {
  const { allowRunning = false, onViolation = () => {} } = options;
  const states = new Map<string, string>();
  const sagas = tally('sagas', 'every saga has ended or is parked', () => {});
  await inSnapshot(sources.databaseUrl, async (db) => {
    for await (const page of pagesOf<SagaRow>(inSchema(db, sources.schema), SAGAS, 1, ({ id }) => [id])) {
      sagas.look(page.length);
      for (const { id, state } of page) {
        states.set(id, state);
        if (allowRunning || !UNENDED.has(state)) continue;
        sagas.violation(id, `is still ${state}`);
        onViolation(id, `is still ${state}`);
      }
    }
  });
  const checks = [sagas.result()];
  for (const book of sources.effects) checks.push(await auditStep(book, states, onViolation));
  return { violations: checks.reduce((sum, { violations }) => sum + violations, 0), checks };
}

async function auditStep(
  { step, databaseUrl, live }: EffectBook,
  states: ReadonlyMap<string, string>,
  onViolation: (sagaId: string, detail: string) => void,
): Promise<AuditCheck> {
  const check = tally(step, 'completed: exactly one; turned back: none; none without a saga', () => {});
  const broken = (sagaId: string, detail: string) => {
    check.violation(sagaId, detail);
    onViolation(sagaId, `${step}: ${detail}`);
  };
  const seen = new Set<string>();
  await inSnapshot(databaseUrl, async (db) => {
    for await (const page of pagesOf<EffectRow>(db, live, 1, (row) => [row.saga_id])) {
      check.look(page.length);
      for (const { saga_id: id, live: count } of page) {
        seen.add(id);
        const state = states.get(id);
        if (state === undefined) broken(id, 'has an effect and no saga');
        else if (state === 'completed' && Number(count) !== 1) broken(id, `is completed with ${count} live effects`);
        else if (state === 'failed' || state === 'cancelled') broken(id, `is ${state} with ${count} live effects`);
      }
    }
  });
  for (const [id, state] of states) {
    if (state === 'completed' && !seen.has(id)) broken(id, 'is completed without its effect');
  }
  return check.result();
}

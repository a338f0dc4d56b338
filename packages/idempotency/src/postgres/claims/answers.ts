/*
 * Bodies of answers: a small one in its claim's own row, so that it costs no row more; a large one by day
 * (the table `answers`), where a day that is past is dropped whole.
 *
 * K5  A caller's answer depends on the clock, never on how far the housekeeping has come: a body past its last day is not given,
 *     whether or not it still exists. Its claim shows that the key was used.
 */
import { type Query, statement } from '@holdfast/postgres';
import { splitKey } from '../../core/key.ts';

/** SQL: the last day of an answer that is stored now. `days`: an integer expression. */
export function keptUntilSql(days: string): string {
  return `((clock_timestamp() at time zone 'utc')::date + ${days})`;
}

/** SQL: whether an answer is still given. `day`: a date expression. */
export function isGivenSql(day: string): string {
  // @guard H15 the last day of an answer: ">= (clock_timestamp() at time zone 'utc')::date" -> "is not null"
  return `${day} >= (clock_timestamp() at time zone 'utc')::date`;
}

/** Bytes of an answer that its claim's row takes. Larger answers would make vacuum and retention scans expensive. */
const MOST_IN_CLAIM = 512;

/** Whether an answer goes into its claim's row. A refusal always does (S5). */
export function staysInClaim(state: 'completed' | 'refused', answer: Buffer): boolean {
  return state === 'refused' || answer.length <= MOST_IN_CLAIM;
}

/** SQL: the same. `state`, `answer`: expressions. */
export function staysInClaimSql(state: string, answer: string): string {
  return `(${state} = 'refused' or octet_length(${answer}) <= ${MOST_IN_CLAIM})`;
}

/** SQL: the answer in a claim's own row, null when there is none or it is past its last day. `claim`: the row's name. */
export function answerInClaimSql(claim: string): string {
  return `case when ${claim}.kept_until is null or ${isGivenSql(`${claim}.kept_until`)} then ${claim}.answer end`;
}

const readBodies = statement(
  'idempotency.read-answers',
  `select r.ord, a.answer
     from unnest($1::text[], $2::text[], $3::text[], $4::date[])
            with ordinality as r(tenant_id, scope, name, kept_until, ord),
          lateral (select a.answer from holdfast.answers a
                    where a.tenant_id = r.tenant_id and a.scope = r.scope and a.name = r.name
                      and a.kept_until = r.kept_until and ${isGivenSql('a.kept_until')} offset 0) a`,
);

export interface KeptAnswer {
  tenantId: string;
  key: string;
  /** As the claim's row says it, YYYY-MM-DD; null when it keeps none. */
  keptUntil: string | null;
}

/** @returns for each the body, or undefined when it is past its last day. @throws pg errors */
export async function readAnswers(db: Query, kept: KeptAnswer[]): Promise<(Buffer | undefined)[]> {
  if (kept.length === 0) return [];
  const keys = kept.map(({ key }) => splitKey(key));
  const { rows } = await db.query<{ ord: number; answer: Buffer }>({
    ...readBodies,
    values: [
      kept.map(({ tenantId }) => tenantId),
      keys.map(({ scope }) => scope),
      keys.map(({ name }) => name),
      kept.map(({ keptUntil }) => keptUntil),
    ],
  });
  const bodies = new Map(rows.map(({ ord, answer }) => [ord - 1, answer]));
  return kept.map((_, at) => bodies.get(at));
}

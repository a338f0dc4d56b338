/*
 * The audit log in Postgres: entries and their outcomes, both only ever inserted.
 *
 * T4  What is here are inserts for the statements that claim a key, accept a refund or store an answer: one statement, one commit.
 *     The first outcome stays: the claim's row is locked by the statement that writes it, so it is that of the stored answer.
 */
import { type Query, type Statement, statement } from '@holdfast/postgres';
import { encodeCursor, type Page } from '../orders/page.ts';
import type { AuditEntry, AuditId, AuditOutcome, AuditVerb } from './audit-entry.ts';

/** SQL expressions over the rows of `source`; one row is inserted for each of them. */
interface AuditIdSql {
  tenantId: string;
  at: string;
  id: string;
  source: string;
}

/** An insert for a statement's `with`. @param of `entry`: entryValue() as jsonb */
export function auditEntrySql({ tenantId, at, id, entry, source }: AuditIdSql & { entry: string }): string {
  return `
     insert into audit_entries (tenant_id, at, id, actor, verb, target, asked, reason, request_id, trace_id)
     select ${tenantId}, ${at}, ${id}, ${entry} ->> 'actor', ${entry} ->> 'verb', ${entry} ->> 'target',
            ${entry} -> 'asked', ${entry} ->> 'reason', ${entry} ->> 'requestId', ${entry} ->> 'traceId'
       from ${source}`;
}

/** An insert for a statement's `with`; of an entry that has its outcome, none. @param of `outcome`: outcomeValue() as jsonb */
export function auditOutcomeSql({ tenantId, at, id, outcome, source }: AuditIdSql & { outcome: string }): string {
  return `
     insert into audit_outcomes (tenant_id, at, id, outcome, code, before, after)
     select ${tenantId}, ${at}, ${id}, ${outcome} ->> 'kind', ${outcome} ->> 'code',
            nullif(${outcome} -> 'before', 'null'), nullif(${outcome} -> 'after', 'null')
       from ${source}
     on conflict (tenant_id, at, id) do nothing`;
}

export function entryValue({ actor, verb, target, asked, reason, requestId, traceId }: AuditEntry): string {
  return JSON.stringify({ actor, verb, target, asked, reason, requestId, traceId });
}

export function outcomeValue(outcome: AuditOutcome): string {
  return JSON.stringify(outcome);
}

const ONE = '(select 1) as one';
const ID = { tenantId: '$1::text', at: '$2::timestamptz', id: '$3::text', source: ONE };
const insertEntry = statement('audit-log.enter', auditEntrySql({ ...ID, entry: '$4::jsonb' }));
const insertOutcome = statement('audit-log.decide', auditOutcomeSql({ ...ID, outcome: '$4::jsonb' }));

/** An entry by itself, of a change without a key. @throws pg errors: the change must not be made then */
export async function writeEntry(db: Query, { tenantId, at, id }: AuditId, entry: AuditEntry): Promise<void> {
  await db.query({ ...insertEntry, values: [tenantId, at, id, entryValue(entry)] });
}

/** What came of such a change. @throws pg errors */
export async function writeOutcome(db: Query, { tenantId, at, id }: AuditId, outcome: AuditOutcome): Promise<void> {
  await db.query({ ...insertOutcome, values: [tenantId, at, id, outcomeValue(outcome)] });
}

const COLUMNS = `e.at, e.id, e.actor, e.verb, e.target, e.asked, e.reason, e.request_id as "requestId",
          e.trace_id as "traceId", o.outcome, o.code, o.before, o.after, o.decided_at as "decidedAt"`;

/** Each filter that stands in an index is said without a choice, so that the plan that is kept reads that index. */
const listBy = (actor: string, target: string) => `
  select ${COLUMNS}
    from audit_entries e left join audit_outcomes o on o.tenant_id = e.tenant_id and o.at = e.at and o.id = e.id
   where e.tenant_id = $1::text and ${actor} and ${target}
     and ($4::text is null or e.verb = $4::text)
     and e.at >= coalesce($5::timestamptz, '-infinity') and e.at < coalesce($6::timestamptz, 'infinity')
     and (e.at, e.id) < (coalesce($7::timestamptz, 'infinity'), coalesce($8::text, ''))
   order by e.at desc, e.id desc
   limit $9::integer`;

const ANY_ACTOR = '($2::text is null or e.actor = $2::text)';
const ANY_TARGET = '($3::text is null or e.target = $3::text)';
const listAll = statement('audit-log.list', listBy(ANY_ACTOR, ANY_TARGET));
const listOfActor = statement('audit-log.list-of-actor', listBy('e.actor = $2::text', ANY_TARGET));
const listOfTarget = statement('audit-log.list-of-target', listBy(ANY_ACTOR, 'e.target = $3::text'));

/** An entry as the API shows it. */
export interface AuditLine {
  id: string;
  at: string;
  actor: string;
  verb: AuditVerb;
  target: string;
  asked: object;
  reason: string | null;
  requestId: string;
  traceId: string;
  /** `open`: not decided yet, or its answer is not known. */
  outcome: 'open' | 'done' | 'refused';
  code: string | null;
  before: object | null;
  after: object | null;
  decidedAt: string | null;
}

export interface AuditPageRequest {
  actor?: string | undefined;
  verb?: AuditVerb | undefined;
  target?: string | undefined;
  /** From this instant on, and before that one. */
  from?: Date | undefined;
  to?: Date | undefined;
  after?: { createdAt: string; id: string } | undefined;
  limit: number;
}

type AuditRow = Omit<AuditLine, 'at' | 'outcome' | 'decidedAt'> & {
  at: Date;
  outcome: 'done' | 'refused' | null;
  decidedAt: Date | null;
};

/** A tenant's entries, newest first. */
export async function readAuditLog(db: Query, tenantId: string, page: AuditPageRequest): Promise<Page<AuditLine>> {
  const { actor, verb, target, from, to, after, limit } = page;
  const { rows } = await db.query<AuditRow>({
    ...listFor(page),
    values: [
      ...[tenantId, actor ?? null, target ?? null, verb ?? null, from ?? null, to ?? null],
      ...[after?.createdAt ?? null, after?.id ?? null, limit + 1],
    ],
  });
  const shown = rows.slice(0, limit).map(lineOf);
  const last = shown.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { rows: shown, nextCursor: isMore ? encodeCursor({ createdAt: last.at, id: last.id }) : null };
}

function listFor({ actor, target }: AuditPageRequest): Statement {
  if (target !== undefined) return listOfTarget;
  return actor === undefined ? listAll : listOfActor;
}

function lineOf({ at, outcome, decidedAt, ...row }: AuditRow): AuditLine {
  return { ...row, at: at.toISOString(), outcome: outcome ?? 'open', decidedAt: decidedAt?.toISOString() ?? null };
}

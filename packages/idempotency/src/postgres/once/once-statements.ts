/*
 * The statements of once(), for a transaction and a driver of somebody else: texts go in and come out, so that no driver's
 * types matter; each parameter stands once, in its order, so that `$1` may become `?`; and nothing is left with the session.
 *
 * K1  The claim is inserted before the effect and settled after it, in one transaction. Other transactions never see it open,
 *     unless that transaction was ended early: then it is the mark that the key never runs again by itself (K9).
 * K2  The primary key decides. `found` is read under the key's locks. A run that committed between the snapshot and the locks is
 *     not in it and inserts nothing: look again.
 * K7  The locks are only tried: a duplicate knows at once that another call has the key.
 * K9  The insert returns the transaction's id, and only the same transaction settles the claim.
 */
import { statement } from '@holdfast/postgres';
import { answerInClaimSql, isGivenSql, keptUntilSql, staysInClaimSql } from '../claims/answers.ts';

/** The first row of the database that made it; texts in hexadecimal. */
export const readSecret = statement(
  'idempotency.once-read-secret',
  `select encode(secret, 'hex') as secret from holdfast.fingerprint_secrets where sole`,
);

export const keepSecret = statement(
  'idempotency.once-keep-secret',
  `insert into holdfast.fingerprint_secrets (secret) values (decode($1::text, 'hex')) on conflict (sole) do nothing`,
);

const CALL = `call as materialized (
     select $1::text as tenant_id, $2::text as scope, $3::text as name, $4::text as operation,
            decode($5::text, 'hex') as fingerprint, $6::text::smallint as fingerprint_version, $7::text::jsonb as members`;

const INSERT = `insert into holdfast.claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members)
     select tenant_id, scope, name, operation, 'in_progress', fingerprint, fingerprint_version, members from`;

export const claimOnce = statement(
  'idempotency.once-claim',
  `with ${CALL}, $8::text::bigint as request_lock, $9::text::bigint as key_lock, $10::text = 'yes' as may_be_new
   ), locked as materialized (
     select case when not pg_try_advisory_xact_lock(request_lock) then 'same'
                 when not pg_try_advisory_xact_lock(key_lock) then 'other' else 'ours' end as holder
       from call
   ), found as materialized (
     select c.state, c.operation, encode(c.fingerprint, 'hex') as fingerprint, c.members::text as members,
            encode(coalesce(${answerInClaimSql('c')}, a.answer), 'hex') as answer,
            case when c.lease_until is null then 'no' else 'yes' end as leased
       from call
       join holdfast.claims c on c.tenant_id = call.tenant_id and c.scope = call.scope and c.name = call.name
       left join holdfast.answers a on a.tenant_id = c.tenant_id and a.scope = c.scope and a.name = c.name
                          and a.kept_until = c.kept_until and ${isGivenSql('a.kept_until')}
   ), claimed as (
     ${INSERT} call, locked
      where holder = 'ours' and may_be_new and not exists (select from found)
     on conflict (tenant_id, scope, name) do nothing
     returning pg_current_xact_id()::text as xact
   )
   select locked.holder, claimed.xact, found.*
     from locked left join found on true left join claimed on true`,
);

export interface ClaimedOnce {
  holder: 'ours' | 'same' | 'other';
  /** The transaction that claimed the key; null when this one did not. */
  xact: string | null;
  /** Null when the key has no claim that this statement could see; the texts of bytes in hexadecimal. */
  state: 'in_progress' | 'completed' | 'refused' | 'sealed' | null;
  operation: string;
  fingerprint: string | null;
  members: string | null;
  answer: string | null;
  leased: 'yes' | 'no';
}

// @guard K9 the proof that once() settles in the transaction that claimed: "pg_current_xact_id_if_assigned()::text = call.xact" -> "call.xact is not null"
export const settleOnce = statement(
  'idempotency.once-settle',
  `with call as materialized (
     select $1::text as tenant_id, $2::text as scope, $3::text as name, $4::text as xact,
            decode($5::text, 'hex') as answer, ${keptUntilSql('$6::text::int')} as kept_until
   ), settled as (
     update holdfast.claims c
        set state = 'completed', answer = case when ${staysInClaimSql("'completed'", 'call.answer')} then call.answer end,
            kept_until = call.kept_until, settled_at = clock_timestamp()
       from call
      where c.tenant_id = call.tenant_id and c.scope = call.scope and c.name = call.name
        and c.state = 'in_progress' and pg_current_xact_id_if_assigned()::text = call.xact
     returning call.*
   ), kept as (
     insert into holdfast.answers (tenant_id, scope, name, kept_until, answer)
     select tenant_id, scope, name, kept_until, answer from settled
      where not ${staysInClaimSql("'completed'", 'answer')}
   )
   select count(*)::text as settled from settled`,
);

/** Where the claim went with a transaction that was rolled back, what came after it may not be: it gets a claim of its own. */
export const markOnce = statement(
  'idempotency.once-mark-ended',
  `with ${CALL}, $8::text as xact
   ), ended as materialized (
     select pg_current_xact_id_if_assigned()::text is distinct from xact as is_ended from call
   ), marked as (
     ${INSERT} call, ended where is_ended
     on conflict (tenant_id, scope, name) do nothing
   )
   select case when is_ended then 'yes' else 'no' end as ended from ended`,
);

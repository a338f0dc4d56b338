/** What makes keys hold, taken away piece by piece; and the tests that must not survive it. */

import type { Mutation } from './mutation.ts';

const IDEMPOTENCY = 'packages/idempotency/src';
const PARTICIPANT = 'packages/participant/src';
const CONFORMANCE = 'tests/conformance.test.ts';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the fence predicate',
    edits: [{ file: `${IDEMPOTENCY}/postgres/claims/claims.ts`, from: ' where f.epoch <= excluded.epoch', to: '' }],
    red: [
      { file: CONFORMANCE, titles: ['G9: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K4: with a lower epoch'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['K4: two calls for one order'] },
    ],
  },
  {
    name: 'the seal',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/claims/seals.ts`,
        from: "do update set state = 'sealed', lease_until",
        to: 'do update set lease_until',
      },
      {
        file: `${IDEMPOTENCY}/postgres/claims/seals.ts`,
        from: "'sealed', clock_timestamp() from r order by",
        to: "'sealed', clock_timestamp() from r where false order by",
      },
      {
        file: `${PARTICIPANT}/step/step-runner.ts`,
        from: 'if (undoes === undefined) return;',
        to: "if (undoes !== '') return;",
      },
    ],
    red: [
      { file: CONFORMANCE, titles: ['G10: ', 'G11: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K3: never runs', 'K3: can’t be answered'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['K1, K2, K4, G10: '] },
    ],
  },
  {
    name: 'the comparison of fingerprints',
    edits: [
      {
        file: `${IDEMPOTENCY}/core/same-request.ts`,
        from: 'textOf(stored.fingerprint) === textOf(fingerprint.digest)',
        to: 'textOf(stored.fingerprint) !== typeof fingerprint.digest',
      },
      {
        file: `${IDEMPOTENCY}/postgres/claims/claims.ts`,
        from: '(c.fingerprint <> r.fingerprint or c.operation <> r.operation) as reused',
        to: 'false as reused',
      },
    ],
    red: [
      { file: CONFORMANCE, titles: ['H6: ', 'G4: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K2: stands for one request'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['G4: two orders under one key'] },
    ],
  },
  {
    name: 'the tenant in the unique key',
    edits: [
      {
        file: `packages/idempotency/sql/001-claims.sql`,
        from: 'primary key (tenant_id, scope, name)',
        to: 'primary key (scope, name)',
      },
      {
        file: `${IDEMPOTENCY}/postgres/claims/ended-claims.ts`,
        from: 'on conflict (tenant_id, scope, name)',
        to: 'on conflict (scope, name)',
      },
      {
        file: `${IDEMPOTENCY}/postgres/claims/seals.ts`,
        from: 'on conflict (tenant_id, scope, name)',
        to: 'on conflict (scope, name)',
      },
      {
        file: `${IDEMPOTENCY}/postgres/claims/claims-fragment.ts`,
        from: 'on conflict (tenant_id, scope, name)',
        to: 'on conflict (scope, name)',
      },
      {
        file: 'apps/orchestrator/src/orders/accept-order.ts',
        from: "fingerprinter.idOfKey('order', tenantId, key)",
        to: "fingerprinter.idOfKey('order', '', key)",
      },
    ],
    red: [
      { file: CONFORMANCE, titles: ['H17: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['H17: of one tenant'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['H17: tenants that use'] },
      { file: `${IDEMPOTENCY}/fastify/fastify.db.test.ts`, titles: ['H17: '] },
    ],
  },
  {
    name: 'the form of ids',
    edits: [
      {
        file: `${IDEMPOTENCY}/core/fingerprint.ts`,
        from: 'const madeAt = dateOfKey(key);',
        to: 'const madeAt = undefined as Date | undefined;',
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/core/fingerprint.test.ts`,
        titles: ['K2: begins with the time of a key', 'orders ids as their keys were made'],
      },
    ],
  },
  {
    name: 'the one secret of a database',
    edits: [
      {
        file: 'packages/idempotency/sql/001-claims.sql',
        from: 'sole boolean primary key default true check (sole)',
        to: 'sole boolean default true',
      },
      { file: `${IDEMPOTENCY}/postgres/fingerprint-secret.ts`, from: 'on conflict (sole) do', to: 'on conflict do' },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/fingerprint-secret.db.test.ts`,
        titles: ['K2: is keyed by the secret of whoever', 'K2: has one secret to a database'],
      },
    ],
  },
  {
    name: 'the owner check on release',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/claims/held-claims.ts`,
        from: "and c.state = 'in_progress' and c.attempt = r.attempt",
        to: "and c.state = 'in_progress' and r.attempt is not null",
      },
      {
        file: `${IDEMPOTENCY}/redis/idempotent-lock.ts`,
        from: "if redis.call('hget', KEYS[1], 'owner') ~= ARGV[1] then return 0 end\n  return redis.call('del', KEYS[1])",
        to: "return redis.call('del', KEYS[1])",
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`,
        titles: ['keeps others from trying until its lease runs out'],
      },
      {
        file: `${IDEMPOTENCY}/redis/idempotent-lock.db.test.ts`,
        titles: ['is released and extended by its owner only'],
      },
    ],
  },
  {
    name: 'the row of a refusal',
    edits: [
      {
        file: `${PARTICIPANT}/step/step-runner.ts`,
        from: '    if (!resumed) rows.push(',
        to: "    if (!resumed && state !== 'refused') rows.push(",
      },
    ],
    red: [
      { file: 'apps/inventory/src/inventory.db.test.ts', titles: ['S5, G6: refused once'] },
      { file: 'apps/payment/src/payment.db.test.ts', titles: ['S5, G6: refused once'] },
      { file: 'apps/inventory/src/reserve-batch.db.test.ts', titles: ['S5: one that is refused'] },
    ],
  },
  {
    name: 'the end of the transaction before the provider is called',
    edits: [
      {
        file: `${PARTICIPANT}/step/step-runner.ts`,
        from: 'await outsideOf(spec).perform(plan, held, request);',
        to: 'await transaction(pool, () => outsideOf(spec).perform(plan, held, request));',
      },
    ],
    red: [
      { file: `${PARTICIPANT}/step/step-runner-outside.db.test.ts`, titles: ['K1, K7: are claimed together'] },
      { file: 'apps/payment/src/card.db.test.ts', titles: ['K7: that is slow holds no'] },
      { file: 'apps/shipping/src/carrier.db.test.ts', titles: ['K7: that is slow holds no'] },
    ],
  },
  {
    name: 'the last day of an answer',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/claims/answers.ts`,
        from: ">= (clock_timestamp() at time zone 'utc')::date",
        to: 'is not null',
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`,
        titles: ['H15, K5: that is small is, past its last day', 'H15, K5: that is large is, past its last day'],
      },
      {
        file: `${IDEMPOTENCY}/postgres/keyed-runner.db.test.ts`,
        titles: ['H15, K5: that is short is not given past', 'H15, K5: that is long is not given past'],
      },
    ],
  },
  {
    name: 'the answer that a claim still has to give, when it is purged',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: "and coalesce(kept_until < (clock_timestamp() at time zone 'utc')::date, true) as is_due",
        to: 'as is_due',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the age at which a claim is purged',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: "settled_at < clock_timestamp() - $3::float8 * interval '1 millisecond'",
        to: 'settled_at < clock_timestamp() and $3::float8 is not null',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the pin of claims that are the unique key of their effect',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: 'and met.is_due and not met.is_pinned',
        to: 'and met.is_due',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: keeps a pinned claim'] }],
  },
  {
    name: 'the refusals among the answers that are taken when they have expired',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: "state = 'completed' and answer is not null",
        to: 'answer is not null',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: keeps a pinned claim'] }],
  },
  {
    name: 'the last look for claims before a fence is purged',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: '\n      and not exists (select from claims c where c.tenant_id = f.tenant_id and c.scope = f.order_id)`',
        to: '`',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K4: keeps the fence of an order'] }],
  },
  {
    name: 'the lock of the housekeeping',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: 'return rows[0]?.mine === true;',
        to: 'return rows[0] !== undefined;',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['is done by one process at a time'] }],
  },
  {
    name: 'the days that are past, as those to drop',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: "and to_date(right(c.relname, 8), 'YYYYMMDD') < (clock_timestamp() at time zone 'utc')::date`",
        to: "and to_date(right(c.relname, 8), 'YYYYMMDD') > (clock_timestamp() at time zone 'utc')::date`",
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['drops days that are past whole'] }],
  },
  {
    name: 'the order that a step’s key begins with',
    edits: [{ file: 'packages/participant/src/step/step-call.ts', from: '!key.startsWith(', to: 'key === (' }],
    red: [
      { file: CONFORMANCE, titles: ['G2: '] },
      {
        file: 'packages/participant/src/transport/step-stream.db.test.ts',
        titles: ['is answered as the unary method answers: G2: the keys of another'],
      },
    ],
  },
  {
    name: 'the time that claims outlive the refusal of their keys',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.ts`,
        from: '?? TOMBSTONE_MS) + CLOCKS_AHEAD_MS',
        to: '?? TOMBSTONE_MS)',
      },
    ],
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the guard of a lent transaction',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/nested-transactions.ts`,
        from: "if (control === 'none') return this.#send(call);",
        to: 'if (control !== undefined) return this.#send(call);',
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: [
          'commits its nested transaction with the claim',
          'rolls its nested transaction back alone',
          'nests to any depth',
          'refuses "commit" after the write',
        ],
      },
      {
        file: `${IDEMPOTENCY}/fastify/fastify.db.test.ts`,
        titles: ['K9: an ORM’s nested transaction', 'K9: a handler'],
      },
      { file: `${IDEMPOTENCY}/grpc/keyed-server.db.test.ts`, titles: ['K9: gives an error'] },
    ],
  },
  {
    name: 'the watch over a lent transaction',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.ts`,
        from: 'void (ENDING_TAG.test(text) &&',
        to: 'void (text === null &&',
      },
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.ts`,
        from: 'void (status === NO_TRANSACTION &&',
        to: 'void (status === null &&',
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: ['fails the call that throws after it', 'fails a transaction without a key'],
      },
    ],
  },
  {
    name: 'the proof that a lent transaction is still open',
    edits: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/proof.ts`,
        from: "current_setting('holdfast.scope', true) is not distinct from",
        to: "'' is distinct from",
      },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: ['that is ended by "commit", unseen'],
      },
      { file: `${PARTICIPANT}/step/step-runner-ended.db.test.ts`, titles: ['that is ended by "commit", unseen'] },
    ],
  },
  {
    name: 'the mark of a key whose lent transaction was ended',
    edits: [
      { file: `${IDEMPOTENCY}/postgres/claims/claims.ts`, from: "if (!row.leased) return { kind: 'ended' };", to: '' },
    ],
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: ['fails the call, and no retry', 'that is ended on the pool’s only connection'],
      },
      {
        file: `${PARTICIPANT}/step/step-runner-ended.db.test.ts`,
        titles: ['that is ended past the guard by "commit" fails an act and an undo', 'marks every call of its batch'],
      },
    ],
  },
];

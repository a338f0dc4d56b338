/** The guards that the code marks (guards.ts), and the tests that must not survive the loss of each. */

import type { Mutation } from './mutation.ts';

const IDEMPOTENCY = 'packages/idempotency/src';
const PARTICIPANT = 'packages/participant/src';
const CONFORMANCE = 'tests/conformance.test.ts';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the fence predicate',
    red: [
      { file: CONFORMANCE, titles: ['G9: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K4: with a lower epoch'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['K4: two calls for one order'] },
    ],
  },
  {
    name: 'the seal',
    red: [
      { file: CONFORMANCE, titles: ['G10: ', 'G11: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K3: never runs', 'K3: can’t be answered'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['K1, K2, K4, G10: '] },
    ],
  },
  {
    name: 'the MAC of an event',
    red: [{ file: 'packages/messaging/src/stream-consumer.db.test.ts', titles: ['E8: changes nothing'] }],
  },
  {
    name: 'the comparison of fingerprints',
    red: [
      { file: CONFORMANCE, titles: ['H6: ', 'G4: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['K2: stands for one request'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['G4: two orders under one key'] },
    ],
  },
  {
    name: 'the tenant in the unique key',
    red: [
      { file: CONFORMANCE, titles: ['H17: '] },
      { file: `${IDEMPOTENCY}/postgres/claims/claims.db.test.ts`, titles: ['H17: of one tenant'] },
      { file: `${PARTICIPANT}/step/step-runner.db.test.ts`, titles: ['H17: tenants that use'] },
      { file: `${IDEMPOTENCY}/fastify/fastify.db.test.ts`, titles: ['H17: '] },
    ],
  },
  {
    name: 'the form of ids',
    red: [
      {
        file: `${IDEMPOTENCY}/core/fingerprint.test.ts`,
        titles: ['K2: begins with the time of a key', 'orders ids as their keys were made'],
      },
    ],
  },
  {
    name: 'the one secret of a database',
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/fingerprint-secret.db.test.ts`,
        titles: [
          'K2: is the same in ten processes',
          'K2: is keyed by the secret of whoever',
          'K2: has one secret to a database',
        ],
      },
    ],
  },
  {
    name: 'the owner check on release',
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
    red: [
      { file: 'apps/inventory/src/inventory.db.test.ts', titles: ['S5, G6: refused once'] },
      { file: 'apps/payment/src/payment.db.test.ts', titles: ['S5, G6: refused once'] },
      { file: 'apps/inventory/src/reserve-batch.db.test.ts', titles: ['S5: one that is refused'] },
    ],
  },
  {
    name: 'the end of the transaction before the provider is called',
    red: [
      { file: `${PARTICIPANT}/step/step-runner-outside.db.test.ts`, titles: ['K1, K7: are claimed together'] },
      { file: 'apps/payment/src/card.db.test.ts', titles: ['K7: that is slow holds no'] },
      { file: 'apps/shipping/src/carrier.db.test.ts', titles: ['K7: that is slow holds no'] },
    ],
  },
  {
    name: 'the last day of an answer',
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
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the age at which a claim is purged',
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the pin of claims that are the unique key of their effect',
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: keeps a pinned claim'] }],
  },
  {
    name: 'the refusals among the answers that are taken when they have expired',
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: keeps a pinned claim'] }],
  },
  {
    name: 'the last look for claims before a fence is purged',
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`,
        titles: ['K4: keeps the fence of an order whose younger claim commits while the fence is being locked'],
      },
    ],
  },
  {
    name: 'the lock of the housekeeping',
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['is done by one process at a time'] }],
  },
  {
    name: 'the days that are past, as those to drop',
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['drops days that are past whole'] }],
  },
  {
    name: 'the order that a step’s key begins with',
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
    red: [{ file: `${IDEMPOTENCY}/postgres/retention.db.test.ts`, titles: ['K5: takes away what is settled and old'] }],
  },
  {
    name: 'the guard of a scoped transaction',
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
      { file: `${IDEMPOTENCY}/rpc/adapters.db.test.ts`, titles: ['K9: gives an error'] },
    ],
  },
  {
    name: 'the watch over a scoped transaction',
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: ['fails the call that throws after it', 'fails a transaction without a key'],
      },
    ],
  },
  {
    name: 'the proof that a scoped transaction is still open',
    red: [
      {
        file: `${IDEMPOTENCY}/postgres/scope/scoped-transaction.db.test.ts`,
        titles: ['that is ended by "commit", unseen'],
      },
      { file: `${PARTICIPANT}/step/step-runner-ended.db.test.ts`, titles: ['that is ended by "commit", unseen'] },
    ],
  },
  {
    name: 'the proof that once() settles in the transaction that claimed',
    red: [{ file: `${IDEMPOTENCY}/postgres/once/once.db.test.ts`, titles: ['K9: a raw commit after the write'] }],
  },
  {
    name: 'the mark of a key whose scoped transaction was ended',
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
  {
    name: 'the amounts of the same batch',
    red: [
      { file: 'apps/payment/src/refunds/refunds.db.test.ts', titles: ['M1: two refunds of one order in one batch'] },
    ],
  },
  {
    name: 'the version that a set was decided by',
    red: [
      { file: 'apps/inventory/src/put-stock.db.test.ts', titles: ['K8: under a version'] },
      { file: 'apps/payment/src/put-account.db.test.ts', titles: ['K8: has a version'] },
    ],
  },
  {
    name: 'the entry of a set',
    red: [
      { file: 'apps/inventory/src/put-stock.db.test.ts', titles: ['K5, K8: when its claim is gone'] },
      { file: 'apps/payment/src/put-account.db.test.ts', titles: ['K5, K8: when neither'] },
    ],
  },
  {
    name: 'the scope of a call',
    red: [
      { file: 'apps/orchestrator/src/http/scopes.test.ts', titles: ['T1: is opened by the scopes'] },
      { file: 'apps/orchestrator/src/grpc/scopes.test.ts', titles: ['T1: every method over gRPC'] },
    ],
  },
  {
    name: 'how long a key counts unseen',
    red: [
      {
        file: 'apps/orchestrator/src/api-keys/known-api-keys.db.test.ts',
        titles: ['T3: counts for 10 s unseen', 'T3: revoked while this replica could not look'],
      },
    ],
  },
  {
    name: 'the key of a PUT',
    red: [
      { file: 'tests/retried-writes.test.ts', titles: ['K8: putStock', 'K8: putAccount', 'K8: sets a balance once'] },
    ],
  },
];

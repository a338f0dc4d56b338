import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Vitest's own measure is one less than there are cores; but most tests here wait more than they work. */
const WORKERS = Math.max(2, availableParallelism() - 1);

/**
 * What `npm run proof` runs: the whole rather than one promise; or what tests, demo and bench stand on (servers and
 * supervisors that are killed and started again and again, the auditor, grown databases). Up to minutes each.
 */
const PROOFS = [
  'packages/testing/src/postgres/embedded-postgres.db.test.ts',
  'packages/saga/src/journal/model-database.db.test.ts',
  'packages/testing/src/simulation/planted-bugs.test.ts',
  'tools/auditor/src/auditor-captures.db.test.ts',
  'tools/auditor/src/auditor-money.db.test.ts',
  'tools/auditor/src/auditor-refunds.db.test.ts',
  'tools/auditor/src/auditor.db.test.ts',
  'tests/cluster.test.ts',
  'tests/fuzz.test.ts',
  'tests/growth.test.ts',
  'tests/conformance-model.test.ts',
  'tests/matrix.test.ts',
  'tests/model.test.ts',
  'tests/packed-packages.test.ts',
  'tests/plans.test.ts',
  'tests/pooled-conformance.test.ts',
  'tests/pooled-matrix.test.ts',
  'tests/pooler.test.ts',
];
/** Of tests/, what needs no process but its own. */
const STATIC = [
  'deployed-metrics',
  'deployment',
  'house',
  'invariants',
  'links',
  'mutations',
  'repository',
  'settings',
].map((name) => `tests/${name}.test.ts`);
/** They place orders and leave the system as they found it. */
const ORDERS = [
  'api-keys',
  'audit-log',
  'bad-input',
  'cancel-order',
  'captures',
  'card-payments',
  'duplicate-order',
  'grpc-orders',
  'other-clients',
  'order-effects',
  'place-order',
  'refunds',
  'retried-writes',
  'world-orders',
].map((name) => `tests/${name}.test.ts`);
const POSTGRES = ['packages/testing/src/postgres/vitest-postgres.ts'];

/**
 * Projects, by what a test needs: `unit` nothing, `db` a real Postgres (one embedded server for the run, each file gets
 * a database cloned from a migrated template), `system` the whole system as separate processes, two of them side by
 * side, since most of a test is waiting for a lease or for a process to start, `orders` one system to a worker. Those four
 * are `npm test`. `proof` and
 * `containers` (a Docker engine; skipped, aloud, where there is none) are part of `npm run proof`. One project after the
 * other (`groupOrder`): processes that are killed and timed must not compete with the rest for two cores.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          maxWorkers: WORKERS,
          include: ['{apps,packages,examples,tools}/*/src/**/*.test.ts', ...STATIC],
          exclude: ['**/*.db.test.ts', ...PROOFS, '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'db',
          sequence: { groupOrder: 1 },
          maxWorkers: WORKERS + 1,
          include: ['{apps,packages,examples,tools}/*/src/**/*.db.test.ts'],
          exclude: [...PROOFS, '**/node_modules/**'],
          globalSetup: POSTGRES,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'orders',
          sequence: { groupOrder: 2 },
          maxWorkers: WORKERS,
          include: ORDERS,
          // One system to a worker, see joinSystem(): these files share their modules.
          isolate: false,
          globalSetup: ['tests/shared-systems.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system',
          sequence: { groupOrder: 2 },
          maxWorkers: WORKERS,
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/containers/**', ...ORDERS, ...STATIC, ...PROOFS, '**/node_modules/**'],
          globalSetup: POSTGRES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'proof',
          sequence: { groupOrder: 3 },
          maxWorkers: WORKERS,
          include: PROOFS,
          globalSetup: POSTGRES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'containers',
          sequence: { groupOrder: 4 },
          include: ['tests/containers/**/*.test.ts'],
          globalSetup: ['tests/containers/images.ts'],
          // Containers are removed by the tests themselves and, after a run that was killed, by the next one.
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

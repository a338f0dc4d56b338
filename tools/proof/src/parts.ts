/** What `npm run proof` is made of: each part is a program of its own that ends with 0 when it found nothing wrong. */

export interface Part {
  name: string;
  /** What a reader learns when it is green. */
  shows: string;
  /** The program and its arguments, run by Node.js from the top of the repository. */
  command: (options: { seed: number; report: string }) => string[];
  /** Only with `--all`: takes longer than a nightly run should. */
  isLong?: true;
}

export const TEST_REPORT = 'proof-tests.json';
const VITEST = 'node_modules/vitest/vitest.mjs';

export const PARTS: readonly Part[] = [
  {
    name: 'tests',
    shows: 'planted bugs are found, the model has no bad end, plans hold on 100,000 rows, packages and containers run',
    command: ({ report }) => [
      VITEST,
      'run',
      '--project',
      'proof',
      '--project',
      'containers',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}/${TEST_REPORT}`,
    ],
  },
  {
    name: 'simulate',
    shows: '20,000 schedules of crashes, delays and lost messages violate no invariant',
    command: ({ seed }) => ['packages/testing/src/simulation/simulate.ts', '--schedules', '20000', '--seed', `${seed}`],
  },
  {
    name: 'matrix',
    shows: 'a process that dies at any point of a step leaves a sound system (60 of all cases)',
    command: ({ seed }) => ['tools/matrix/src/main.ts', '--sample', '60', '--seed', `${seed}`],
  },
  {
    name: 'chaos',
    shows: '10,000 sagas under kills, pauses and a broken network are audited without a violation',
    command: ({ seed }) => ['tools/chaos/src/main.ts', '--sagas', '10000', '--seed', `${seed}`],
  },
  {
    name: 'conformance',
    shows: 'the kit’s rules hold in each arrangement',
    command: () => ['tools/conformance/src/main.ts', '--all'],
    isLong: true,
  },
  {
    name: 'failover',
    shows: 'a replica that dies is replaced in time',
    command: () => ['tools/failover/src/main.ts'],
    isLong: true,
  },
  {
    name: 'contrast',
    shows: 'the usual ways of doing it lose or double orders under the same faults',
    command: () => ['tools/contrast/src/main.ts'],
    isLong: true,
  },
  {
    name: 'mutate',
    shows: 'every guard that is taken away is seen by a test',
    command: () => ['tools/proof/src/mutate.ts'],
    isLong: true,
  },
];

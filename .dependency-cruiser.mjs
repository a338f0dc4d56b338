// The borders of the house (ARCHITECTURE.md, "Floors"): a folder imports only from floors below its own.

/** From the ground up; a folder sees none of its own floor. */
const FLOORS = [
  ['packages/resilience'],
  ['packages/certificates', 'packages/contracts', 'packages/service', 'packages/postgres', 'packages/http-exchange'],
  ['packages/idempotency', 'packages/messaging', 'packages/rpc'],
  ['packages/saga', 'packages/participant'],
  ['packages/client', 'packages/testing'],
  ['apps/[^/]+', 'examples/[^/]+'],
  ['tools/cluster'],
  ['tools/auditor'],
  // What the last line leaves of tools/; tests/ and scripts/ stand above all and import from everywhere.
  ['tools/(?!cluster/|auditor/)[^/]+'],
];

/** What the rooms of packages/idempotency/src may import from beside themselves. */
const ROOMS = {
  core: [],
  postgres: ['core'],
  redis: ['core'],
  http: ['core', 'postgres'],
  rpc: ['core', 'postgres'],
  grpc: ['core', 'postgres', 'rpc'],
  connect: ['core', 'postgres', 'rpc'],
  fastify: ['core', 'postgres', 'http'],
  express: ['core', 'postgres', 'http'],
  koa: ['core', 'postgres', 'http'],
  nest: ['core', 'postgres', 'http'],
  fetch: ['core', 'postgres', 'http'],
};

const PACKAGE = '^((?:packages|apps|tools|examples)/[^/]+)/';
/** Tests may look at any floor; circles and deep imports are theirs too. */
const TEST = '[.]test[.]ts$|^[^/]+/[^/]+/test/|^tests/';

const floors = FLOORS.flatMap((floor, at) =>
  floor.map((folder) => {
    const below = FLOORS.slice(0, at).flat();
    return {
      name: `floors: ${folder.replace(/[(].*[)]/, '').replace('[^/]+', '*')}`,
      comment: 'It imports something of its own floor or of one above. Move what both need below them.',
      severity: 'error',
      from: { path: `^(${folder})/`, pathNot: TEST },
      to: {
        path: '^(packages|apps|tools|examples|tests|scripts)/',
        pathNot: [`^$1/`, ...below.map((one) => `^${one}/`)],
      },
    };
  }),
);

const IDEMPOTENCY = 'packages/idempotency/src';
const rooms = Object.entries(ROOMS).map(([room, below]) => ({
  name: `rooms: idempotency/${room}`,
  comment: `packages/idempotency: core <- postgres <- http <- {fastify, express, …}, rpc <- {grpc, connect}; redis sees core alone.`,
  severity: 'error',
  from: { path: `^${IDEMPOTENCY}/${room}/`, pathNot: TEST },
  to: { path: `^${IDEMPOTENCY}/`, pathNot: [room, ...below].map((one) => `^${IDEMPOTENCY}/${one}/`) },
}));

export default {
  forbidden: [
    ...floors,
    ...rooms,
    {
      name: 'rooms: idempotency/core imports no driver',
      comment: 'The core decides; it speaks to no database and no network.',
      severity: 'error',
      from: { path: `^${IDEMPOTENCY}/core/`, pathNot: TEST },
      to: { path: ['^(node:)?https?2?$', 'node_modules/(pg|ioredis|fastify|@grpc)/'] },
    },
    {
      name: 'no circle',
      comment:
        'Move the type or the function that both need into a file of its own, also where the import is of types only.',
      severity: 'error',
      from: { pathNot: '/src/gen/' },
      to: { circular: true },
    },
    {
      name: 'no path into another package',
      comment: "Import by the package's name; what its exports don't offer is its own.",
      severity: 'error',
      from: { path: PACKAGE },
      to: { path: PACKAGE, pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'no path into a package',
      comment: "Import by the package's name; what its exports don't offer is its own.",
      severity: 'error',
      from: { path: '^tests/' },
      to: { path: PACKAGE, dependencyTypes: ['local'] },
    },
    {
      name: 'nothing unresolved',
      comment: "The file does not exist, the package's exports don't offer it, or package.json does not list it.",
      severity: 'error',
      from: {},
      // scripts/gen-client.ts asks the client for its generator, which is none of the root's dependencies.
      to: { couldNotResolve: true, pathNot: '^openapi-typescript$' },
    },
    {
      name: 'nothing unlisted',
      comment: 'List the dependency in the package.json of the package that imports it.',
      severity: 'error',
      from: { pathNot: TEST },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'nothing unlisted in tests',
      comment:
        'The root lists what runs every test. Everything else stands in the package.json of the package whose test it is.',
      severity: 'error',
      from: { path: TEST },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/(vitest|fast-check)/' },
    },
  ],
  options: {
    // Types count: a circle of types is a circle.
    tsPreCompilationDeps: true,
    moduleSystems: ['es6'],
    skipAnalysisNotInRules: true,
    doNotFollow: { path: 'node_modules' },
    // What a package's tarball is made of: built from what is looked at here.
    exclude: { path: '/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

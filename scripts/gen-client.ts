// Generates the client's types from what the HTTP API says of itself. `--check` only compares, and fails on any difference.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createHttpServer, type HttpEdge } from '@holdfast/orchestrator';
import { createLog, createMetrics } from '@holdfast/service';

const TYPES = new URL('../packages/client/src/gen/api.ts', import.meta.url);
const HEADER = '// Generated from what /openapi.json says, by `npm run gen`: do not edit.\n';

const generated = HEADER + (await typesOf(await describeApi()));
if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, generated);
  console.log('generated the client’s types from the HTTP API');
} else if (textOf(TYPES) === generated) {
  console.log('the client’s types match the HTTP API');
} else {
  console.error('packages/client/src/gen does not match the HTTP API: run npm run gen and commit');
  process.exitCode = 1;
}

/** What `/openapi.json` serves. The routes are only registered: none of them runs, so what they work with is not needed. */
async function describeApi(): Promise<object> {
  const edge = {
    deps: {},
    participants: {},
    definitions: [],
    metrics: createMetrics('describe'),
    log: createLog('describe', 'silent'),
    authenticate: () => ({ kind: 'caller', caller: { tenantId: 'describe', scopes: new Set() } }),
  };
  const app = await createHttpServer(edge as unknown as HttpEdge);
  const { body } = await app.inject('/openapi.json');
  await app.close();
  return JSON.parse(body) as object;
}

/** The generator is the client's own dependency. */
async function typesOf(api: object): Promise<string> {
  const require = createRequire(new URL('../packages/client/package.json', import.meta.url));
  const generator = require('openapi-typescript') as {
    default: (api: object, options: object) => Promise<unknown>;
    astToString: (ast: unknown) => string;
  };
  return generator.astToString(await generator.default(api, { alphabetize: true }));
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newKey } from '@holdfast/idempotency';
import { freePort, type TestDatabase, testDatabase } from '@holdfast/testing';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { generate, slugOf, TABS, writeTabs } from './readme-tabs.ts';
import { setUpCatalogue, startSystem } from './system.ts';

// The packed libraries in projects that are not ours: installed by npm into empty folders, their READMEs' examples compiled
// and run as they are.

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const PACKAGES = ['client', 'idempotency', 'saga', 'testing'];
/** By the examples, beside what the libraries ask for. */
const USED = [
  ...['@grpc/proto-loader', '@types/node', 'typescript', 'reflect-metadata', 'hono', '@hono/node-server', 'postgres'],
  ...[
    '@types/express',
    '@connectrpc/connect-node',
    '@koa/bodyparser',
    '@koa/router',
    '@nestjs/core',
    '@nestjs/platform-express',
  ],
];
const PROTO = `syntax = "proto3";
package shop;
message ChargeRequest { int32 amount = 1; }
message ChargeResponse { string id = 1; }
service Payments { rpc Charge(ChargeRequest) returns (ChargeResponse); }
`;
const LARGEST = '9223372036854775807';
/** What is there before us: dbmate's list, and tables of the host's own that are called like ours. */
const HOST = `
  create table schema_migrations (version varchar primary key);
  insert into schema_migrations values ('20260101000000');
  create table claims (id bigint primary key, about text not null);
  insert into claims values (${LARGEST}, 'a damaged parcel');
  create table sagas (id int primary key);
  create table payments (id serial primary key, amount int not null, large bigint);`;
const HOST_TABLES = ['claims', 'payments', 'sagas', 'schema_migrations'];
const NODES = [
  { name: `Node ${process.versions.node}`, node: process.execPath as string | undefined },
  { name: 'Node 22', node: findNode22() },
];

let folder: string;
let [project, bare, bundled] = ['', '', ''];
let database: TestDatabase;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'));
  [project = '', bare = '', bundled = ''] = ['project', 'bare', 'bundled'].map((name) => join(folder, name));
  for (const path of [project, bare, bundled]) mkdirSync(path);
  await run(process.execPath, ['scripts/build-packages.ts'], { cwd: root });
  for (const name of PACKAGES) {
    await run('npm', ['pack', '--pack-destination', folder], { cwd: join(root, 'packages', name, 'dist') });
  }
  writeExamples(project);
  writeTabs(project);
  const { catalog } = parseCatalog();
  const { peerDependencies } = manifestOf(join(root, 'packages/idempotency/dist'));
  const others = [...USED, ...Object.keys(peerDependencies)];
  const generator = ['@bufbuild/protoc-gen-es', catalog['@bufbuild/protobuf'] ?? ''];
  const versions = [generator, ...others.map((name) => [name, catalog[name] ?? peerDependencies[name] ?? ''])];
  await install(project, PACKAGES, Object.fromEntries(versions));
  await generate(project);
  // The oldest driver that is asked for, and nothing that is optional.
  await install(bare, ['idempotency', 'saga', 'client'], { pg: '8.16.0' });
  database = await testDatabase('packed', []);
  await database.pool.query(`drop schema holdfast cascade; ${HOST}`);
  // As a tool of the host's would apply it.
  const sql = await outputOf(process.execPath, project, ['node_modules/.bin/holdfast', 'migrate', '--sql']);
  await database.pool.query(`begin; ${sql}; commit`);
}, 600_000);
afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The other release that is supported; npm brings it. */
function findNode22(): string | undefined {
  try {
    const asked = ['--yes', '-p', 'node@22', '--', 'node', '-p', 'process.execPath'];
    return execFileSync('npx', asked, {
      encoding: 'utf8',
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (cause) {
    if (process.env.HOLDFAST_REQUIRE_ALL === '1') throw new Error('Node 22 could not be installed', { cause });
    console.warn('skipped: the packed libraries on Node 22, which npm could not install');
    return undefined;
  }
}

/** Every block of a README, or of what it leads to, that names a file. */
function writeExamples(into: string): void {
  for (const path of [...PACKAGES.map((name) => `packages/${name}/README.md`), 'docs/idempotency.md']) {
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, file = '', code = ''] of text.matchAll(/```ts file=(\S+)\n(.*?)```/gs)) {
      writeFileSync(join(into, file), code);
    }
  }
  writeFileSync(join(into, 'payments.proto'), PROTO);
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] };
  // Koa's declarations are at odds with those of a package that it uses.
  const decorators = { experimentalDecorators: true };
  writeFileSync(
    join(into, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...decorators }, include: ['*.ts'], exclude: ['koa.ts'] }),
  );
}

async function install(into: string, packages: string[], others: Record<string, string>): Promise<void> {
  const ours = packages.map((name) => [`@holdfast/${name}`, `file:${tarballOf(name)}`]);
  const dependencies = { ...Object.fromEntries(ours), ...others };
  writeFileSync(join(into, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: into });
}

function tarballOf(name: string): string {
  const [tarball] = globSync(`holdfast-${name}-*.tgz`, { cwd: folder });
  return join(folder, tarball ?? '');
}

/** The versions this repository is tested with. */
function parseCatalog(): { catalog: Record<string, string> } {
  const lines = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').matchAll(/^ {2}"?([^\s":]+)"?: (\d\S*)$/gm);
  return { catalog: Object.fromEntries([...lines].map(([, name, version]) => [name, version])) };
}

const environment = (more: object = {}) => ({ PATH: process.env.PATH, DATABASE_URL: database.databaseUrl, ...more });

/** What a program of a project prints. */
async function outputOf(node: string, cwd: string, args: string[], more: object = {}): Promise<string> {
  const { stdout } = await run(node, ['--no-warnings', ...args], { cwd, env: environment(more), timeout: 60_000 });
  return stdout;
}

async function start(node: string, file: string): Promise<number> {
  const port = await freePort();
  const child = spawn(node, [file], { cwd: project, env: environment({ PORT: String(port) }), stdio: 'inherit' });
  running.push(child);
  const deadlineAt = Date.now() + 30_000;
  while (await isFree(port)) {
    if (Date.now() > deadlineAt || child.exitCode !== null) throw new Error(`${file} does not serve`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return port;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
}

const payments = async () => (await database.pool.query('select from payments')).rows.length;

/** Every entry point of the packages in a project, but the one that runs in Vitest only. */
function entryPoints(at: string, isWanted: (name: string) => boolean): string[] {
  return globSync('node_modules/@holdfast/*/package.json', { cwd: at }).flatMap((path) => {
    const { name, exports } = JSON.parse(readFileSync(join(at, path), 'utf8'));
    return Object.keys(exports)
      .map((subpath) => name + subpath.slice(1))
      .filter((entry) => !entry.endsWith('/package.json') && isWanted(entry));
  });
}

it('the packages compile with their examples, declarations checked', async () => {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifestOf(project), type: 'module' }));
  const compiled = await run(join(project, 'node_modules/.bin/tsc'), ['-p', project]).catch((error) => error);
  expect(compiled.stdout).toBe('');
});

function manifestOf(at: string): { peerDependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
}

async function paysOnce(port: number): Promise<void> {
  const before = await payments();
  const headers = { 'content-type': 'application/json', 'x-shop': 'tea', 'idempotency-key': newKey() };
  const send = () => fetch(`http://127.0.0.1:${port}/payments`, { method: 'POST', headers, body: '{"amount":5}' });
  const [first, again] = [await send(), await send()];
  expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
  expect(await again.text()).toBe(await first.text());
  expect((await payments()) - before).toBe(1);
}

describe('the adapters of the README', () => {
  it.each(TABS)('K1, K2: $name pays once, and gives the same bytes ever after', async ({ name }) => {
    await paysOnce(await start(process.execPath, `${slugOf(name)}.mjs`));
  });

  it('K1, K2: Connect charges once, and gives the same answer ever after', async () => {
    const port = await start(process.execPath, 'connect.mjs');
    const before = await payments();
    const headers = { 'content-type': 'application/json', 'x-shop': 'tea', 'idempotency-key': newKey() };
    const url = `http://127.0.0.1:${port}/shop.Payments/Charge`;
    const send = () => fetch(url, { method: 'POST', headers, body: '{"amount":5}' });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.headers.get('trailer-idempotent-replayed')]).toEqual([200, 'true']);
    expect(await again.text()).toBe(await first.text());
    expect((await payments()) - before).toBe(1);
  });

  it.each(['run-once.ts', 'once.ts'])('K1: %s runs once, and has its value the second time', async (file) => {
    const before = await payments();
    const said = () => outputOf(process.execPath, project, [file]);
    const [first, again] = [await said(), await said()];
    expect(first).toMatch(/^\d+/);
    expect(again.split(/\s/)[0]).toBe(first.split(/\s/)[0]);
    expect((await payments()) - before).toBe(1);
  });
});

describe.each(NODES)('in a project of somebody else’s, on $name', ({ node = '' }) => {
  it.skipIf(node === '')('K1, K2: serve the Fastify example: once, and the same bytes ever after', async () => {
    await paysOnce(await start(node, 'server.ts'));
  });

  it.skipIf(node === '')('K1: serve the gRPC example to its client: a charge each, and each once', async () => {
    const port = await start(node, 'grpc-server.ts');
    const before = await payments();
    for (const _ of [1, 2]) {
      const said = await outputOf(node, project, ['grpc-client.ts'], { ADDRESS: `127.0.0.1:${port}` });
      expect(said).toMatch(/^\{ id: '\d+' \}\n$/);
    }
    expect((await payments()) - before).toBe(2);
  });

  it.skipIf(node === '')('S1: run the example of a saga to its end, and find it there the second time', async () => {
    for (const _ of [1, 2]) expect(await outputOf(node, project, ['book-trip.ts'])).toMatch(/completed\n$/);
  });

  it.skipIf(node === '')('A1: simulate the example of a saga', async () => {
    expect(await outputOf(node, project, ['simulate.ts'])).toBe('200 schedules, none broken\n');
  });

  it.skipIf(node === '')('are required by CommonJS, without what is optional and with the oldest driver', async () => {
    const entries = entryPoints(bare, (name) => !/connect|fastify|grpc|nest|redis/.test(name));
    expect(entries.length).toBeGreaterThanOrEqual(5);
    const code = `
      const pg = require('pg');
      for (const entry of ${JSON.stringify(entries)}) require(entry);
      const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
      pool.query('select ${LARGEST} as large').then(async ({ rows }) => {
        console.log(rows[0].large);
        await pool.end();
      });`;
    writeFileSync(join(bare, 'host.cjs'), code);
    expect(await outputOf(node, bare, ['host.cjs'])).toBe(`${LARGEST}\n`);
  });

  it.skipIf(node === '')('import every entry point, and nothing is left running', async () => {
    const entries = entryPoints(project, (name) => !name.endsWith('vitest-postgres'));
    const code = `for (const entry of ${JSON.stringify(entries)}) console.log(entry, Object.keys(await import(entry)).length > 0);`;
    const said = await outputOf(node, project, ['--input-type=module', '--eval', code]);
    expect(said.trim().split('\n').sort()).toEqual(entries.map((entry) => `${entry} true`).sort());
  });

  it.skipIf(node === '')('K2: run in one file that esbuild has made, and claim a key', async () => {
    writeFileSync(join(project, 'host.ts'), BUNDLED);
    const outfile = join(bundled, 'host.mjs');
    await build({
      ...{ entryPoints: ['host.ts'], absWorkingDir: project, outfile },
      ...{ bundle: true, platform: 'node', format: 'esm', external: ['pg-native'] },
      // The driver's own CommonJS asks for Node's modules by `require`.
      banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    });
    const key = newKey();
    expect(await outputOf(node, bundled, [basename(outfile)], { KEY: key })).toBe('ran paid\n');
    expect(await outputOf(node, bundled, [basename(outfile)], { KEY: key })).toBe('replayed paid\n');
  });
});

const BUNDLED = `
import { createKeyedRunner, idempotencyMigrations, loadFingerprinter, migrate } from '@holdfast/idempotency';
import { sagaMigrations } from '@holdfast/saga';
import pg from 'pg';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
await migrate(pool, [idempotencyMigrations, sagaMigrations]);
const fingerprint = (await loadFingerprinter(pool)).of('pay', { amount: 5 });
const call = { tenantId: 'tea', key: process.env.KEY ?? '', operation: 'pay', fingerprint, waitMs: 0 };
const outcome = await createKeyedRunner({ pool }).run(call, async (tx) => {
  const { rows } = await tx.query('insert into payments (amount, large) values (5, ${LARGEST}) returning large');
  if (rows[0].large !== '${LARGEST}') throw new Error(String(rows[0].large));
  return { kind: 'completed', answer: Buffer.from('paid') };
});
if (outcome.kind === 'completed') console.log(outcome.replayed ? 'replayed' : 'ran', outcome.answer.toString());
await pool.end();
`;

it('K2: the client places the order of its example, against the system as it runs', async () => {
  const system = await startSystem();
  try {
    await setUpCatalogue(system);
    await system.send('PUT', '/v1/stock/tea', { onHand: 10, unitPrice: 250, currency: 'EUR' });
    const { http, apiKey } = system.cluster.run;
    const at = { HOLDFAST_URL: http, HOLDFAST_API_KEY: apiKey };
    expect(await outputOf(process.execPath, project, ['place-order.ts'], at)).toBe('completed \n');
  } finally {
    await system.stop();
  }
});

it('the host’s tables are as they were, whatever ran beside them, and none was added to them', async () => {
  const { rows } = await database.pool.query(`
    select (select json_agg(version) from schema_migrations) as migrations, (select json_agg(c) from claims c)::text as claims,
           (select array_agg(tablename::text order by tablename) from pg_tables where schemaname = 'public') as tables`);
  expect(rows).toEqual([
    {
      migrations: ['20260101000000'],
      claims: `[{"id":${LARGEST},"about":"a damaged parcel"}]`,
      tables: HOST_TABLES,
    },
  ]);
});

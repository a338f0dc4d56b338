import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newKey } from '@holdfast/idempotency';
import { freePort, type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

// The README's examples, in a project that is not ours: the packed tarballs in an empty folder, compiled and run as they are.

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const PACKAGES = ['contracts', 'postgres', 'resilience', 'idempotency'];
const PROTO = `syntax = "proto3";
package shop;
message ChargeRequest { int32 amount = 1; }
message ChargeResponse { string id = 1; }
service Payments { rpc Charge(ChargeRequest) returns (ChargeResponse); }
`;

let folder: string;
let database: TestDatabase;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'));
  for (const name of PACKAGES) {
    await run('pnpm', ['pack', '--pack-destination', folder], { cwd: join(root, 'packages', name) });
  }
  writeExamples(folder);
  await installAsOthersDo(folder);
  database = await testDatabase('packed', []);
  await database.pool.query('create table payments (id serial primary key, amount int not null)');
}, 240_000);
afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Every block of the README that names a file. */
function writeExamples(into: string): void {
  const readme = readFileSync(join(root, 'packages/idempotency/README.md'), 'utf8');
  for (const [, file = '', text = ''] of readme.matchAll(/```ts file=(\S+)\n(.*?)```/gs)) {
    writeFileSync(join(into, file), text);
  }
  writeFileSync(join(into, 'payments.proto'), PROTO);
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] };
  writeFileSync(join(into, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
}

async function installAsOthersDo(into: string): Promise<void> {
  const { catalog } = parseCatalog();
  const tarballs = readdirSync(into).filter((file) => file.endsWith('.tgz'));
  const others = ['fastify', '@grpc/grpc-js', '@grpc/proto-loader', 'ioredis', 'typescript', '@types/node'];
  const dependencies = {
    ...Object.fromEntries(tarballs.map((file) => [`@holdfast/${file.split('-')[1]}`, `file:${file}`])),
    ...Object.fromEntries(others.map((name) => [name, catalog[name]])),
  };
  writeFileSync(join(into, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: into });
}

/** The versions this repository is tested with. */
function parseCatalog(): { catalog: Record<string, string> } {
  const lines = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').matchAll(/^ {2}"?([^\s":]+)"?: (\d\S*)$/gm);
  return { catalog: Object.fromEntries([...lines].map(([, name, version]) => [name, version])) };
}

async function start(file: string): Promise<number> {
  const port = await freePort();
  const env = { PATH: process.env.PATH, DATABASE_URL: database.databaseUrl, PORT: String(port) };
  const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: 'inherit' });
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

describe('the packed libraries in a project of somebody else’s', () => {
  it('compile with its examples, declarations checked', async () => {
    await run(join(folder, 'node_modules/.bin/tsc'), ['-p', folder]);
  });

  it('serve the Fastify example: once, and the same bytes ever after', async () => {
    const port = await start('server.ts');
    const before = await payments();
    const headers = { 'content-type': 'application/json', 'x-shop': 'tea', 'idempotency-key': newKey() };
    const send = () => fetch(`http://127.0.0.1:${port}/payments`, { method: 'POST', headers, body: '{"amount":5}' });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
    expect(await again.text()).toBe(await first.text());
    expect((await payments()) - before).toBe(1);
  });

  it('serve the gRPC example to its client: a charge each, and each once', async () => {
    const port = await start('grpc-server.ts');
    const before = await payments();
    const env = { PATH: process.env.PATH, ADDRESS: `127.0.0.1:${port}` };
    for (const _ of [1, 2]) {
      const { stdout } = await run(process.execPath, ['grpc-client.ts'], { cwd: folder, env, timeout: 30_000 });
      expect(stdout).toMatch(/^\{ id: '\d+' \}\n$/);
    }
    expect((await payments()) - before).toBe(2);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { idempotencyMigrations, newKey } from '../index.ts';

const home = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(home, 'README.md'), 'utf8');
const snippets = new Map([...readme.matchAll(/```ts adapter=(\S+)\n(.*?)```/gs)].map(([, file, text]) => [file, text]));
const PREAMBLE = `import { createPool } from '@holdfast/idempotency';
const pool = createPool({ databaseUrl: process.env.DATABASE_URL ?? '', applicationName: 'readme' });
`;
/** How a framework would serve what a Fetch snippet exports. */
const SERVED = `import { serve } from '@hono/node-server';
serve({ fetch: (request) => POST(request as never), hostname: '127.0.0.1', port: Number(process.env.PORT) });
`;

let database: TestDatabase;
let folder: string;
const running: ChildProcess[] = [];
beforeAll(async () => {
  database = await testDatabase('readme', [idempotencyMigrations]);
  await database.pool.query('create table payments (id serial primary key, amount int not null)');
  // Beside the package's own files, so that its name leads to its sources.
  folder = mkdtempSync(join(home, '.readme-'));
});
afterAll(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

function start(file: string, port = 0, more = ''): ChildProcess {
  writeFileSync(join(folder, file), PREAMBLE + snippets.get(file) + more);
  const env = { PATH: process.env.PATH, DATABASE_URL: database.databaseUrl, PORT: String(port) };
  const child = spawn(process.execPath, [join(folder, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  return child;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await event(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

async function post(port: number, key: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-shop': 'tea', 'idempotency-key': key };
  const send = () =>
    fetch(`http://127.0.0.1:${port}/payments`, { method: 'POST', headers, body: '{"amount":5}' }).catch(
      () => undefined,
    );
  for (;;) {
    const answered = await send();
    if (answered !== undefined) return answered;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const payments = async () => (await database.pool.query('select from payments')).rows.length;

it.each([
  ['express.ts', ''],
  ['koa.ts', ''],
  ['fetch.ts', SERVED],
])('README: %s pays once, and gives the same bytes again', async (file, served) => {
  expect(snippets.get(file)?.trim().split('\n').length).toBeLessThanOrEqual(12);
  const [port, key, before] = [await freePort(), newKey(), await payments()];
  start(file, port, served);
  const first = await post(port, key);
  const again = await post(port, key);
  expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
  expect(await again.text()).toBe(await first.text());
  expect(await payments()).toBe(before + 1);
});

it.each(['run-once.ts', 'once.ts'])('README: %s pays once, however often it is started', async (file) => {
  const before = await payments();
  const printed: string[] = [];
  for (const _start of [1, 2]) {
    const child = start(file, 0, 'await pool.end();\n');
    child.stdout?.on('data', (chunk) => printed.push(String(chunk).trim().split(' ')[0] ?? ''));
    const [code] = await event(child, 'close');
    expect(code).toBe(0);
  }
  expect(printed[0]).toMatch(/^\d+$/);
  expect(printed[1]).toBe(printed[0]);
  expect(await payments()).toBe(before + 1);
});

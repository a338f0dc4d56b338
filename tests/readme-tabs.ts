import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';

// The adapters of the idempotency library's README, as programs of somebody's.

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));

const PREAMBLE = `import { createPool } from '@holdfast/idempotency';
const pool = createPool({ databaseUrl: process.env.DATABASE_URL ?? '', applicationName: 'shop' });
`;
/** The adapters of the README, and around each what is not of its few lines: how the framework is started. */
export const TABS: { name: string; snippet: string; around?: (snippet: string) => string }[] = [
  { name: 'Express 5', snippet: 'express.ts' },
  { name: 'Koa', snippet: 'koa.ts' },
  {
    name: 'NestJS',
    snippet: 'nest.ts',
    around: (snippet) => `import 'reflect-metadata';
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      ${snippet}
      @Module({ controllers: [Payments] })
      class Shop {}
      await (await NestFactory.create(Shop, { logger: false })).listen(Number(process.env.PORT), '127.0.0.1');`,
  },
  {
    name: 'Hono',
    snippet: 'fetch.ts',
    around: (snippet) => `import { serve } from '@hono/node-server';
      import { Hono } from 'hono';
      ${snippet}
      const app = new Hono().post('/payments', (c) => POST(c.req.raw));
      serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT) });`,
  },
  {
    // As Next.js does with app/payments/route.ts: the exported function of the method gets a Request.
    name: 'a route handler',
    snippet: 'fetch.ts',
    around: (snippet) => `import { createServer } from 'node:http';
      import { text } from 'node:stream/consumers';
      ${snippet}
      createServer(async (incoming, outgoing) => {
        const { method = '', url = '', headers } = incoming;
        const init = { method, headers: headers as Record<string, string>, body: await text(incoming) };
        const answered = await POST(new Request(new URL(url, 'http://shop'), init));
        outgoing.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text());
      }).listen(Number(process.env.PORT), '127.0.0.1');`,
  },
];
const CONNECT: (typeof TABS)[number] = { name: 'Connect', snippet: 'connect.ts' };

/** Those of the README that stand in a program of somebody's. Decorators need a compiler. */
export function writeTabs(into: string): void {
  const readme = readFileSync(join(root, 'packages/idempotency/README.md'), 'utf8');
  const snippets = new Map(
    [...readme.matchAll(/```ts adapter=(\S+)\n(.*?)```/gs)].map(([, file, code]) => [file, code]),
  );
  for (const { name, snippet, around = (code: string) => code } of [...TABS, CONNECT]) {
    const code = snippets.get(snippet);
    if (code === undefined) throw new Error(`the README has no tab ${snippet}`);
    const program = PREAMBLE + around(code);
    writeFileSync(join(into, `${slugOf(name)}.ts`), program);
    const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
    writeFileSync(join(into, `${slugOf(name)}.mjs`), transformSync(program, { loader: 'ts', tsconfigRaw }).code);
  }
  for (const file of ['run-once.ts', 'once.ts']) {
    writeFileSync(join(into, file), `${PREAMBLE}${snippets.get(file)}await pool.end();\n`);
  }
}

/** What Connect's programs import, of payments.proto. */
export async function generate(into: string): Promise<void> {
  const plugin = { local: join(into, 'node_modules/.bin/protoc-gen-es'), out: '.', opt: ['target=js+dts'] };
  const template = JSON.stringify({ version: 'v2', plugins: [plugin] });
  await run(join(root, 'node_modules/.bin/buf'), ['generate', '--template', template, '--path', 'payments.proto'], {
    cwd: into,
  });
}

export const slugOf = (name: string) => name.toLowerCase().replaceAll(/\W+/g, '-');

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createPool, describeSchema } from '@holdfast/postgres';
import { testDatabase } from '@holdfast/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { booking, errorOf, ledgerOf, MIGRATIONS, NO_FAULTS, sendJson, stripeAt } from '../test/test-sandbox.ts';

interface Running {
  port: number;
  url: string;
  log: string[];
  child: ChildProcess;
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function launch(env: NodeJS.ProcessEnv): ChildProcess {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], { env: { PATH: process.env.PATH, ...env } });
  children.push(child);
  return child;
}

async function startProcess(databaseUrl: string): Promise<Running> {
  const child = launch({ DATABASE_URL: databaseUrl, HTTP_PORT: '0', LOG_LEVEL: 'trace' });
  const log: string[] = [];
  const listening = Promise.withResolvers<number>();
  if (!child.stdout || !child.stderr) throw new Error('no pipes');
  createInterface(child.stdout).on('line', (line) => {
    log.push(line);
    const { msg, httpPort } = JSON.parse(line) as { msg: string; httpPort: number };
    if (msg === 'listening') listening.resolve(httpPort);
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  child.once('exit', (code) => listening.reject(new Error(`ended with ${code}: ${errors}`)));
  const port = await listening.promise;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    child,
    async stop(signal) {
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

describe('the process', () => {
  it('keeps fault settings, intents and keys through a kill', async () => {
    const db = await testDatabase('sandbox', [MIGRATIONS]);
    try {
      const before = await startProcess(db.databaseUrl);
      const { id } = await stripeAt(before.port).paymentIntents.create({
        amount: 800,
        currency: 'eur',
        payment_method: 'pm_card_visa',
        metadata: { order_id: 'ord_secret_free', tenant_id: 'shop' },
      });
      const settings = { seed: 77, payments: { ...NO_FAULTS, slow: 1, slowMs: 60_000 }, carrier: NO_FAULTS };
      expect((await sendJson(before.url, 'PUT', '/faults', settings)).status).toBe(200);
      const idempotencyKey = 'kill-0123456789abcdef';
      const unheard = errorOf(stripeAt(before.port).paymentIntents.confirm(id, {}, { idempotencyKey }));
      await expect.poll(() => ledgerOf(db, id)).toHaveLength(1);
      // The effect is committed and its answer waits: the worst moment to die.
      await before.stop('SIGKILL');
      expect((await unheard).type).toBe('StripeConnectionError');

      const after = await startProcess(db.databaseUrl);
      expect((await sendJson(after.url, 'GET', '/faults')).body).toMatchObject(settings);
      await sendJson(after.url, 'PUT', '/faults', { ...settings, payments: NO_FAULTS });
      const retried = await stripeAt(after.port).paymentIntents.confirm(id, {}, { idempotencyKey });
      expect(retried.status).toBe('succeeded');
      expect(retried.lastResponse.headers['idempotent-replayed']).toBe('true');
      expect(await ledgerOf(db, id)).toEqual([{ kind: 'captured', amount: 800 }]);
      expect(await after.stop('SIGTERM')).toBe(0);
    } finally {
      await db.drop();
    }
  });

  it('H23: logs JSON only, and nothing secret or personal', async () => {
    const db = await testDatabase('sandbox', [MIGRATIONS]);
    try {
      const running = await startProcess(db.databaseUrl);
      await sendJson(running.url, 'POST', '/carrier/v1/shipments', booking('ord_1:create-shipment'));
      await stripeAt(running.port).paymentIntents.create(
        { amount: 800, currency: 'eur', payment_method: 'pm_card_visa', confirm: true },
        { idempotencyKey: 'a-key-that-nobody-may-see' },
      );
      // A failing store makes the borders log what they know of a request.
      await db.pool.query('drop table idempotency_keys, shipments');
      const failed = await sendJson(running.url, 'POST', '/carrier/v1/shipments', booking('ord_2'));
      expect(failed.status).toBe(500);
      const confirm = stripeAt(running.port).paymentIntents.create(
        { amount: 800, currency: 'eur', payment_method: 'pm_card_visa' },
        { idempotencyKey: 'a-key-that-nobody-may-see' },
      );
      expect(await errorOf(confirm)).toMatchObject({ statusCode: 500 });
      expect(await running.stop('SIGTERM')).toBe(0);
      const log = running.log.join('\n');
      expect(log).toContain('a request failed');
      for (const secret of ['pm_card', 'a-key-that', 'Lovelace', 'St James', 'SW1Y', 'sk_test']) {
        expect(log).not.toContain(secret);
      }
    } finally {
      await db.drop();
    }
  });

  it('answers what waits when it is asked to stop', async () => {
    const db = await testDatabase('sandbox', [MIGRATIONS]);
    try {
      const running = await startProcess(db.databaseUrl);
      const slow = { ...NO_FAULTS, slow: 1, slowMs: 60_000 };
      await sendJson(running.url, 'PUT', '/faults', { seed: 1, payments: NO_FAULTS, carrier: slow });
      const booked = sendJson(running.url, 'POST', '/carrier/v1/shipments', booking('slow-1'));
      await expect.poll(async () => (await db.pool.query('select from shipments')).rowCount).toBe(1);
      expect(await running.stop('SIGTERM')).toBe(0);
      expect((await booked).status).toBe(201);
    } finally {
      await db.drop();
    }
  });

  it('lists all wrong settings and exits with 78', async () => {
    const child = launch({ HTTP_PORT: '70000', DATABASE_URL: 'mysql://x', SANDBOX_SECRET_KEY: 'live' });
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += String(chunk);
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(78);
    for (const name of ['HTTP_PORT', 'DATABASE_URL', 'SANDBOX_SECRET_KEY']) expect(errors).toContain(`${name}: `);
  });

  it('K6: is alive but not ready without its database, refuses with 503, and recovers by itself', async () => {
    const db = await testDatabase('sandbox', [MIGRATIONS]);
    const link = await startLink(new URL(db.databaseUrl));
    try {
      const running = await startProcess(link.databaseUrl);
      const get = (path: string) => fetch(`${running.url}${path}`);
      expect((await get('/readyz')).status).toBe(200);
      await sendJson(running.url, 'GET', '/ledger/payments');
      expect(await (await get('/metrics')).text()).toContain('route="GET /ledger/payments",status="200"');

      link.cut();
      expect((await get('/livez')).status).toBe(200);
      expect((await get('/readyz')).status).toBe(503);
      expect(await sendJson(running.url, 'POST', '/carrier/v1/shipments', booking('down-1'))).toMatchObject({
        status: 503,
        body: { code: 'STORE_UNAVAILABLE' },
      });
      const form = { amount: 800, currency: 'eur', payment_method: 'pm_card_visa', confirm: true };
      const down = await errorOf(stripeAt(running.port).paymentIntents.create(form));
      expect(down).toMatchObject({ statusCode: 503, rawType: 'api_error' });

      await link.mend();
      expect((await get('/readyz')).status).toBe(200);
      expect((await db.pool.query('select from payment_intents')).rowCount).toBe(0);
      expect((await stripeAt(running.port).paymentIntents.create(form)).status).toBe('succeeded');
      expect(await running.stop('SIGTERM')).toBe(0);
    } finally {
      link.cut();
      await db.drop();
    }
  });
});

interface Link {
  databaseUrl: string;
  cut(): void;
  mend(): Promise<void>;
}

/** A wire to the database that can be cut. */
async function startLink(to: URL): Promise<Link> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
    }
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const url = new URL(to);
  url.host = `127.0.0.1:${port}`;
  return {
    databaseUrl: url.href,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    async mend() {
      await listen(port);
    },
  };
}

describe('the schema', () => {
  it('is what sql/schema.txt shows', async () => {
    const db = await testDatabase('sandbox', [MIGRATIONS]);
    const pool = createPool({ databaseUrl: db.databaseUrl, applicationName: 'schema' });
    try {
      const file = new URL('../sql/schema.txt', import.meta.url);
      const schema = await describeSchema(pool);
      if (process.env.UPDATE_SCHEMA === '1') writeFileSync(file, schema);
      expect(readFileSync(file, 'utf8')).toBe(schema);
    } finally {
      await pool.end();
      await db.drop();
    }
  });
});

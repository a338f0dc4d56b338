import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mainOf, SERVICES, type ServiceName, settingsOf, skipsPooler, startPooler } from '@holdfast/cluster';
import { createPool, migrate, openSession, transaction } from '@holdfast/postgres';
import { type PostgresServer, startPostgres } from '@holdfast/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, type System, setUpCatalogue, startSystem } from './system.ts';

const skips = skipsPooler('tests behind PgBouncer');
const EXIT_BAD_CONFIG = 78;

describe.skipIf(skips)('behind a PgBouncer in transaction mode', () => {
  let folder: string;
  let server: PostgresServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-pooled-'));
    chmodSync(folder, 0o755);
    server = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' } });
    for (const name of SERVICES) await server.createDatabase(name);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const pooler = (options: { settings?: Record<string, string>; withRoleSettings?: boolean }) =>
    startPooler({ server, logFile: join(folder, 'pooler.log'), ...options });

  it.each([
    ['refuses settings of a connection', {}],
    ['ignores settings of a connection', { ignore_startup_parameters: 'options' }],
  ])(
    'that %s, without settings of the role: exits within 5 s, and names each, and what gives it',
    async (_, settings) => {
      const before = await pooler({ settings, withRoleSettings: false });
      try {
        for (const name of ['payment', 'orchestrator'] as const) {
          const { tookMs: startMs } = await exitOf(name, 'no URL');
          const { code, tookMs, said } = await exitOf(name, before.databaseUrl(name));
          expect({ code, said }).toMatchObject({ code: EXIT_BAD_CONFIG });
          // What a start takes that fails for its own settings is the machine's.
          expect(tookMs - startMs).toBeLessThan(5_000);
          for (const setting of Object.keys(settingsOf(name)).filter((each) => !IS_DEFAULT.has(each))) {
            expect(said).toContain(`alter role "holdfast_pooled" in database "${name}" set ${setting} = `);
          }
        }
      } finally {
        await before.stop();
      }
    },
  );

  it('keeps no name of a statement where the pooler passes names on; it would be met in another session', async () => {
    const before = await pooler({ settings: { default_pool_size: '1' } });
    const databaseUrl = before.databaseUrl('payment');
    const [one, other] = [1, 2].map((n) =>
      createPool({ databaseUrl, applicationName: `pooled ${n}`, keyLookupsOnly: true, max: 1 }),
    );
    try {
      for (const pool of [one, other]) {
        await openSession(pool as pg.Pool);
        for (let n = 0; n < 3; n++) {
          await transaction(pool as pg.Pool, async (tx) => {
            const named = { name: 'same.name', text: 'select $1::int as n', values: [n] };
            expect((await tx.query(named)).rows).toEqual([{ n }]);
            expect((await tx.query('select name from pg_prepared_statements')).rows).toEqual([]);
          });
        }
      }
    } finally {
      await Promise.all([one?.end(), other?.end()]);
      await before.stop();
    }
  });

  it('found to stand there only later: the first statement whose name is taken is the last that has one', async () => {
    const before = await pooler({ settings: { default_pool_size: '1' } });
    const databaseUrl = before.databaseUrl('payment');
    const pool = createPool({ databaseUrl: server.databaseUrl('payment'), applicationName: 'moved', max: 1 });
    const taker = new pg.Client(databaseUrl);
    try {
      await openSession(pool);
      await taker.connect();
      await taker.query(`prepare "taken" as select 1`);
      pool.options.connectionString = databaseUrl;
      pool.options.options = undefined;
      await pool.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
      const named = { name: 'taken', text: 'select $1::int as n', values: [7] };
      await expect(pool.query(named)).rejects.toMatchObject({ code: '42P05' });
      expect((await pool.query(named)).rows).toEqual([{ n: 7 }]);
    } finally {
      await Promise.all([pool.end(), taker.end()]);
      await before.stop();
    }
  });

  it('migrates, with no setting of its own', async () => {
    const before = await pooler({});
    const pool = createPool({ databaseUrl: before.databaseUrl('shipping'), applicationName: 'migrates', max: 1 });
    try {
      await openSession(pool);
      const { shippingMigrations } = await import('@holdfast/shipping');
      expect((await migrate(pool, shippingMigrations)).length).toBeGreaterThan(2);
      expect(await migrate(pool, shippingMigrations)).toEqual([]);
    } finally {
      await pool.end();
      await before.stop();
    }
  });
});

/** What the server has by itself. */
const IS_DEFAULT = new Set([
  'default_transaction_isolation',
  'standard_conforming_strings',
  'array_nulls',
  'DateStyle',
]);

async function exitOf(name: ServiceName, databaseUrl: string) {
  const addresses = Object.fromEntries(['INVENTORY', 'PAYMENT', 'SHIPPING'].map((at) => [`${at}_ADDR`, '127.0.0.1:1']));
  const ports = { HTTP_PORT: '0', GRPC_PORT: '0', OPS_PORT: '0', HOST: '127.0.0.1' };
  const env = { ...ports, ...addresses, API_KEYS: 'shop:a-key-of-some-length', DATABASE_URL: databaseUrl };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [mainOf(name)], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said, tookMs: performance.now() - startedAt };
}

describe.skipIf(skips)('a system behind a PgBouncer in transaction mode', () => {
  const ORDERS = 200;
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ pooler: true });
    await setUpCatalogue(system);
  });
  afterAll(() => system?.stop());

  it('A1, S1: loses, parks and repeats nothing while its services are killed; every setting holds in every transaction', async () => {
    let begun = 0;
    const seen = new Map<string, number>();
    const customer = async () => {
      while (begun < ORDERS) {
        const key = `pooled-order-of-number-${begun++}`;
        const placed = await system.until(
          key,
          async () => {
            const reply = await system.place({}, { key }).catch(() => undefined);
            if (reply !== undefined) seen.set(String(reply.status), (seen.get(String(reply.status)) ?? 0) + 1);
            return reply?.status === 201 ? reply : undefined;
          },
          60_000,
        );
        ids.add(placed.body.id);
      }
    };
    const ids = new Set<string>();
    const kills = async () => {
      for (const victim of ['payment', 'orchestrator', 'inventory', 'shipping'] as const) {
        await system.until(`${victim} can be killed`, async () => (ids.size > 20 ? true : undefined));
        await system.cluster.kill(victim);
        await system.cluster.untilServing(victim);
      }
    };
    const broken: unknown[] = [];
    const load = Promise.all([kills(), ...Array.from({ length: 16 }, customer)]);
    const looks = SERVICES.map(async (name) => broken.push(...(await brokenSettings(name, 40))));
    await Promise.all([load, ...looks]);
    expect(broken).toEqual([]);
    expect(ids.size).toBe(ORDERS);
    const ends = new Map<string, number>();
    for (const id of ids) {
      const { status } = await system.untilEnded(id, 60_000);
      ends.set(status, (ends.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(ends)).toEqual({ completed: ORDERS });
    // A client sees what it may repeat, and nothing else.
    expect([...seen.keys()].filter((status) => !['201', '409', '429', '503'].includes(status))).toEqual([]);
    await expectSound(system);
  }, 240_000);

  /** Looks into many transactions, as a service gets them. @returns what is not as its pool asked for */
  async function brokenSettings(name: ServiceName, count: number): Promise<unknown[]> {
    const pooled = system.cluster.pooledUrl?.(name);
    const pool = new pg.Pool({ connectionString: pooled, max: 4 });
    const broken: unknown[] = [];
    const look = async () => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        for (const [setting, wanted] of Object.entries(settingsOf(name))) {
          const { rows } = await client.query(`show ${setting}`);
          const [found] = Object.values(rows[0] as Record<string, string>);
          const { rows: as } = await client.query('select set_config($1, $2, true) as wanted', [setting, wanted]);
          if (as[0].wanted !== found) broken.push({ name, setting, found, wanted });
        }
        await client.query('commit');
      } finally {
        client.release();
      }
    };
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let n = 0; n < count / 4; n++) await look();
      }),
    );
    await pool.end();
    return broken;
  }
});

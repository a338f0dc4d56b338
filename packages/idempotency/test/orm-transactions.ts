/** Transactions as ORMs and drivers open them, each with the port that once() needs of it. */
import { MikroORM } from '@mikro-orm/postgresql';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { knex } from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { QueryTypes, Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import type { TransactionPort } from '../src/index.ts';

/** What a test does with a transaction that its ORM has opened. */
export interface OpenedTransaction {
  port: TransactionPort;
  /** Runs in a nested transaction of the ORM. */
  nested(work: (port: TransactionPort) => Promise<void>): Promise<void>;
}

/** Opens a transaction of the ORM, commits it when `work` returns, rolls it back when it throws. */
type InTransaction = <T>(work: (opened: OpenedTransaction) => Promise<T>) => Promise<T>;
export interface Orm {
  transaction: InTransaction;
  close(): Promise<unknown>;
}

const asQuestionMarks = (text: string) => text.replace(/\$\d+/g, '?');

export const ORMS: [string, (url: string) => Promise<Orm> | Orm][] = [
  [
    'pg',
    (connectionString) => {
      const pool = new pg.Pool({ connectionString, max: 4 });
      const savepointed =
        (client: pg.PoolClient): OpenedTransaction['nested'] =>
        async (work) => {
          await client.query('savepoint nested');
          await work(client).catch(async (error) => {
            await client.query('rollback to savepoint nested');
            throw error;
          });
        };
      return {
        close: () => pool.end(),
        async transaction(work) {
          const client = await pool.connect();
          try {
            await client.query('begin');
            const result = await work({ port: client, nested: savepointed(client) });
            await client.query('commit');
            return result;
          } catch (error) {
            await client.query('rollback');
            throw error;
          } finally {
            client.release();
          }
        },
      };
    },
  ],
  [
    'postgres',
    (url) => {
      const sql = postgres(url, { max: 4, onnotice: () => {} });
      const portOf = (tx: postgres.TransactionSql): TransactionPort => ({
        query: (text, values) => tx.unsafe(text, values),
      });
      return {
        close: () => sql.end(),
        transaction: async (work) =>
          (await sql.begin((tx) =>
            work({ port: portOf(tx), nested: async (inner) => void (await tx.savepoint((at) => inner(portOf(at)))) }),
          )) as never,
      };
    },
  ],
  [
    'Drizzle',
    (connectionString) => {
      const pool = new pg.Pool({ connectionString, max: 4 });
      const db = drizzle(pool);
      type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
      const portOf = (tx: Tx): TransactionPort => ({
        query: (text, values) =>
          tx.execute(
            drizzleSql.join(
              text
                .split(/\$\d+/)
                .flatMap((part, at) => [...(at > 0 ? [drizzleSql`${values[at - 1]}`] : []), drizzleSql.raw(part)]),
            ),
          ),
      });
      return {
        close: () => pool.end(),
        transaction: (work) =>
          db.transaction((tx) =>
            work({ port: portOf(tx), nested: (inner) => tx.transaction((at) => inner(portOf(at))) }),
          ),
      };
    },
  ],
  [
    'Knex',
    (connection) => {
      const db = knex({ client: 'pg', connection, pool: { min: 0, max: 4 } });
      const portOf = (trx: typeof db): TransactionPort => ({
        query: async (text, values) => await trx.raw(asQuestionMarks(text), values),
      });
      return {
        close: () => db.destroy(),
        transaction: (work) =>
          db.transaction((trx) =>
            work({ port: portOf(trx), nested: (inner) => trx.transaction((at) => inner(portOf(at))) }),
          ),
      };
    },
  ],
  [
    'Kysely',
    (connectionString) => {
      const db = new Kysely<object>({
        dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString, max: 4 }) }),
      });
      const portOf = (trx: Kysely<object>): TransactionPort => ({
        query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)),
      });
      return {
        close: () => db.destroy(),
        transaction: async (work) => {
          const trx = await db.startTransaction().execute();
          const nested: OpenedTransaction['nested'] = async (inner) => {
            const at = await trx.savepoint('nested').execute();
            await inner(portOf(at)).catch(async (error) => {
              await at.rollbackToSavepoint('nested').execute();
              throw error;
            });
          };
          try {
            const result = await work({ port: portOf(trx), nested });
            await trx.commit().execute();
            return result;
          } catch (error) {
            await trx.rollback().execute();
            throw error;
          }
        },
      };
    },
  ],
  [
    'TypeORM',
    async (url) => {
      const source = await new DataSource({ type: 'postgres', url, poolSize: 4 }).initialize();
      return {
        close: () => source.destroy(),
        transaction: (work) =>
          source.transaction((manager) =>
            work({ port: manager, nested: (inner) => manager.transaction((at) => inner(at)) }),
          ),
      };
    },
  ],
  [
    'MikroORM',
    async (clientUrl) => {
      const orm = await MikroORM.init({
        clientUrl,
        entities: [],
        discovery: { warnWhenNoEntities: false },
        pool: { min: 0, max: 4 },
      });
      const portOf = (em: typeof orm.em): TransactionPort => ({
        query: (text, values) => em.execute(asQuestionMarks(text), values) as Promise<unknown[]>,
      });
      return {
        close: () => orm.close(),
        transaction: (work) =>
          orm.em.fork().transactional((em) =>
            work({
              port: portOf(em as never),
              nested: (inner) => em.transactional((at) => inner(portOf(at as never))),
            }),
          ),
      };
    },
  ],
  [
    'Sequelize',
    (url) => {
      const sequelize = new Sequelize(url, { dialect: 'postgres', logging: false, pool: { max: 4 } });
      return {
        close: () => sequelize.close(),
        transaction: (work) =>
          sequelize.transaction((transaction) => {
            const portOf = (inside: typeof transaction): TransactionPort => ({
              query: (text, bind) => sequelize.query(text, { bind, transaction: inside, type: QueryTypes.SELECT }),
            });
            const nested: OpenedTransaction['nested'] = (inner) =>
              sequelize.transaction({ transaction }, (at) => inner(portOf(at)));
            return work({ port: portOf(transaction), nested });
          }),
      };
    },
  ],
];

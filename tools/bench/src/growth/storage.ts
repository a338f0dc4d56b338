import { createPool, type Query } from '@holdfast/postgres';
import { DATABASES, type Database } from './order-rows.ts';

/** How large a database is, and of how many orders. */
export interface DatabaseSize {
  name: string;
  orders: number;
  tables: TableSize[];
}

export interface TableSize {
  name: string;
  /** With what is stored beside it (TOAST) and the maps of its free and visible pages. */
  tableBytes: number;
  indexBytes: number;
}

/** What the orders of one system take, on the disk. */
export interface Storage {
  system: string;
  /** When it was measured. */
  after: string;
  databases: (Omit<DatabaseSize, 'tables'> & {
    /** An order, like all that follows. */
    tableBytes: number;
    indexBytes: number;
    tables: TableSize[];
  })[];
}

/** One row of each is one order: some scenarios do without the orchestrator. */
const ORDERS_IN = {
  orchestrator: 'orders',
  inventory: 'reservations',
  payment: 'charges',
  shipping: 'shipments',
} as const;

const COUNT_TIMEOUT_MS = 120_000;

/** @throws pg errors */
export async function readSizes(databaseUrl: (name: Database) => string): Promise<DatabaseSize[]> {
  return await Promise.all(
    DATABASES.map(async (name) => {
      const options = { databaseUrl: databaseUrl(name), applicationName: 'bench', max: 1 };
      const pool = createPool({ ...options, statementTimeoutMs: COUNT_TIMEOUT_MS });
      try {
        return { name, orders: await countOf(pool, ORDERS_IN[name]), tables: await tablesOf(pool) };
      } finally {
        await pool.end();
      }
    }),
  );
}

async function countOf(db: Query, table: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(`select count(*) as count from ${table}`);
  return rows[0]?.count ?? 0;
}

async function tablesOf(db: Query): Promise<TableSize[]> {
  const { rows } = await db.query<TableSize>(
    `select relname as name, pg_table_size(oid) as "tableBytes", pg_indexes_size(oid) as "indexBytes" from pg_class
      where relkind = 'r' and relnamespace in (to_regnamespace('public'), to_regnamespace('holdfast')) order by relname`,
  );
  return rows;
}

/** @param before what there was without any order: the catalogue, accounts, empty indexes */
export function bytesPerOrder(before: DatabaseSize[], now: DatabaseSize[]): Storage['databases'] {
  return now.flatMap(({ name, orders, tables }) => {
    const base = before.find((database) => database.name === name);
    const added = orders - (base?.orders ?? 0);
    if (added <= 0) return [];
    const each = tables.map((table) => {
      const empty = base?.tables.find((known) => known.name === table.name);
      return {
        name: table.name,
        tableBytes: (table.tableBytes - (empty?.tableBytes ?? 0)) / added,
        indexBytes: (table.indexBytes - (empty?.indexBytes ?? 0)) / added,
      };
    });
    const sum = (of: 'tableBytes' | 'indexBytes') => each.reduce((total, table) => total + table[of], 0);
    const grown = each.filter(({ tableBytes, indexBytes }) => tableBytes + indexBytes >= 1);
    return [{ name, orders, tableBytes: sum('tableBytes'), indexBytes: sum('indexBytes'), tables: grown }];
  });
}

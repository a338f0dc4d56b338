/** How the auditor reads: in pages, from one snapshot per database, without a lock. */
import {
  createPool,
  type Query,
  type Statement,
  statementTypes,
  type Transaction,
  transaction,
} from '@holdfast/postgres';

const PAGE_SIZE = 1_000;
/** Nobody waits for the auditor: a busy server is no reason to leave the books unread. */
const CONNECT_TIMEOUT_MS = 30_000;
const STATEMENT_TIMEOUT_MS = 60_000;
const LEDGER_TIMEOUT_MS = 30_000;

/**
 * Runs `work` on the database as it is at one instant, however much is written meanwhile.
 * K7: `work` must read nothing but this database; the snapshot is held for as long as it runs.
 */
export async function inSnapshot<T>(databaseUrl: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const pool = createPool({
    databaseUrl,
    applicationName: 'holdfast-auditor',
    max: 1,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    idleInTransactionTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    return await transaction(pool, async (tx) => {
      await tx.query('set transaction isolation level repeatable read, read only');
      return await work(tx);
    });
  } finally {
    await pool.end();
  }
}

/**
 * All rows of a query, page by page.
 * @param query takes the last row's cursor as its first parameters (empty texts at the start) and the page size as its
 *   last one, and orders by that cursor
 */
export async function* pagesOf<Row extends object>(
  db: Query,
  query: Pick<Statement, 'name' | 'text'>,
  width: number,
  cursorOf: (row: Row) => string[],
): AsyncGenerator<Row[]> {
  let after = new Array<string>(width).fill('');
  for (;;) {
    const { rows } = await db.query<Row>({ ...query, types: statementTypes, values: [...after, PAGE_SIZE] });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_SIZE) return;
    after = cursorOf(last);
  }
}

/**
 * All entries of one of the sandbox's ledgers, page by page.
 * @param path such as `/ledger/payments`
 * @param member that holds the entries
 * @throws Error when the sandbox can't be reached or answers something else
 */
export async function* ledgerPages<Entry>(sandboxUrl: string, path: string, member: string): AsyncGenerator<Entry[]> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(cursor && { cursor }) });
    const url = `${sandboxUrl}${path}?${query}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(LEDGER_TIMEOUT_MS) }).catch((cause: Error) => {
      throw new Error(`the sandbox cannot be reached at ${sandboxUrl}: is the system up?`, { cause });
    });
    if (!response.ok) throw new Error(`GET ${url} was answered with ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as Record<string, Entry[]> & { nextCursor: string | null };
    yield page[member] ?? [];
    cursor = page.nextCursor;
  }
}

/*
 * What the role that a service runs as may do, where another one owns the tables: data only, and of some tables no more than to
 * insert and to read. Which those are stands beside each table in its migration, as a comment on it.
 *
 * T4  Granted in the transaction of the migrations: no table is there without its rights, and none with more than it had.
 */
import { unnamedStatement } from '../pool.ts';
import type { Transaction } from '../transaction.ts';

/** `comment on table … is 'insert-only'`: rows are never changed or deleted. */
const INSERT_ONLY = 'insert-only';
/** `comment on table … is 'partitioned at run time'`: only who owns a table can make partitions of it, so the runner does. */
const PARTITIONED = 'partitioned at run time';

const ROLE = /^[a-z_][a-z0-9_-]{0,62}$/;

/** @returns `name` in quotes, for SQL. @throws Error for what is no plain name of a role */
function quotedRole(name: string): string {
  if (!ROLE.test(name)) throw new Error(`${JSON.stringify(name)} is no role: give lower-case letters, digits, _ and -`);
  return `"${name}"`;
}

const TABLES = unnamedStatement(
  `select format('%I.%I', n.nspname, c.relname) as name, pg_get_userbyid(c.relowner) as owner,
          obj_description(coalesce(i.inhparent, c.oid), 'pg_class') as comment
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid
    where n.nspname in ('public', $1::text) and c.relkind in ('r', 'p')
    order by n.nspname, c.relname`,
);

interface FoundTable {
  /** As SQL writes it. */
  name: string;
  owner: string;
  comment: string | null;
}

/** Gives the role its rights to all tables that there are, and takes those that it may not have. @throws pg errors */
export async function grantRunner(tx: Transaction, role: string, schema: string): Promise<void> {
  const runner = quotedRole(role);
  const run = (sql: string) => tx.query(unnamedStatement(sql));
  await run(`grant usage on schema public, "${schema}" to ${runner}`);
  await run(`grant usage, select on all sequences in schema public, "${schema}" to ${runner}`);
  const { rows } = await tx.query<FoundTable>({ ...TABLES, values: [schema] });
  for (const { name, owner, comment } of rows) {
    if (comment === PARTITIONED) {
      await run(`grant create on schema "${schema}" to ${runner}`);
      if (owner !== role) await run(`alter table ${name} owner to ${runner}`);
      continue;
    }
    await run(`revoke all on ${name} from ${runner}`);
    await run(`grant ${rightsTo(name, comment, schema)} on ${name} to ${runner}`);
  }
}

function rightsTo(name: string, comment: string | null, schema: string): string {
  if (name === `${schema}.migrations`) return 'select';
  return comment === INSERT_ONLY ? 'select, insert' : 'select, insert, update, delete';
}

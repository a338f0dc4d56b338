import type { Query } from '../pool.ts';
import { DEFAULT_SCHEMA } from '../schema.ts';

// A service's own tables, by their names alone, and the libraries'.
const DESCRIBED = `n.nspname in ('public', '${DEFAULT_SCHEMA}')`;
const named = (of: string, column: string) =>
  `case when n.nspname = 'public' then '' else n.nspname || '.' end || ${of}.${column}`;

const COLUMNS = `
  select ${named('c', 'relname')} as "table", a.attname as "column", format_type(a.atttypid, a.atttypmod) as type,
         a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as fallback
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and ${DESCRIBED}
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relkind in ('r', 'p')
   order by n.nspname desc, c.relname, a.attnum`;
const CONSTRAINTS = `
  select ${named('t', 'relname')} as "table", k.conname as name, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k
    join pg_class t on t.oid = k.conrelid
    join pg_namespace n on n.oid = t.relnamespace and ${DESCRIBED}
   where k.contype in ('p', 'u', 'c', 'f', 'x')
   order by n.nspname desc, t.relname, k.conname`;
const INDEXES = `
  select ${named('i', 'tablename')} as "table", indexdef as definition
    from (select *, schemaname as nspname from pg_indexes) i join pg_namespace n using (nspname)
   where ${DESCRIBED} order by n.nspname desc, tablename, indexdef`;
const SEQUENCES = `
  select ${named('s', 'sequencename')} as name
    from (select *, schemaname as nspname from pg_sequences) s join pg_namespace n using (nspname)
   where ${DESCRIBED} order by n.nspname desc, sequencename`;

/**
 * The schema as text, one line per column, constraint, index and sequence, in a stable order that does not depend on
 * the server's version. Committed beside the migrations as `schema.txt` and held to them by a test, so that a review
 * sees what a migration really changes.
 */
export async function describeSchema(db: Query): Promise<string> {
  const columns = await db.query<{ table: string; column: string; type: string; required: boolean; fallback: string }>(
    COLUMNS,
  );
  const constraints = await db.query<{ table: string; name: string; definition: string }>(CONSTRAINTS);
  const indexes = await db.query<{ table: string; definition: string }>(INDEXES);
  const sequences = await db.query<{ name: string }>(SEQUENCES);
  const lines = [
    ...columns.rows.map((c) => {
      const required = c.required ? ' not null' : '';
      const fallback = c.fallback ? ` default ${c.fallback}` : '';
      return `${c.table}.${c.column} ${c.type}${required}${fallback}`;
    }),
    ...constraints.rows.map((c) => `${c.table} constraint ${c.name} ${c.definition}`),
    ...indexes.rows.map((i) => `${i.table} index ${i.definition}`),
    ...sequences.rows.map((s) => `sequence ${s.name}`),
  ];
  return `${lines.join('\n')}\n`;
}

import type { Query } from './pool.ts';

const COLUMNS = `
  select c.relname as "table", a.attname as "column", format_type(a.atttypid, a.atttypmod) as type,
         a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as fallback
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relkind in ('r', 'p')
   order by c.relname, a.attnum`;
const CONSTRAINTS = `
  select t.relname as "table", k.conname as name, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k
    join pg_class t on t.oid = k.conrelid
    join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
   where k.contype in ('p', 'u', 'c', 'f', 'x')
   order by t.relname, k.conname`;
const INDEXES = `select tablename as "table", indexdef as definition from pg_indexes where schemaname = 'public' order by 1, 2`;
const SEQUENCES = `select sequencename as name from pg_sequences where schemaname = 'public' order by 1`;

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

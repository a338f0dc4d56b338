/*
 * Where the libraries' tables are: in a schema of their own, never in the host's `public`, never by way of its search path.
 *
 * Statements name each table as it is called by default, `holdfast.claims`. Whoever has another schema gets a view of the pool or
 * the client that rewrites those names. Only statements of the libraries are rewritten, which are known by their types; what
 * else passes through is the host's, and stays as it is.
 */
import { hash } from 'node:crypto';
import type pg from 'pg';
import type { Query, Statement } from './pool.ts';
import { statementTypes } from './value-types.ts';

export const DEFAULT_SCHEMA = 'holdfast';

// As Postgres has it without quotes; names in `pg_` are the server's own.
const NAME = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/;
// The relations of all libraries, and no other word behind `holdfast.`: a commit hook's text may hold anything, such as a type of event.
const RELATIONS =
  'claims|fences|answers\\w*|fingerprint_secrets|migrations|sagas|saga_\\w+|owners|owner_ids|inbox|outbox\\w*|relays\\w*';
const OURS = new RegExp(`(?<![\\w./@-])holdfast\\.(?=(?:${RELATIONS})(?![\\w-]))`, 'g');
// A library's migrations say what there is, and hold nothing of the host.
const ANY = /(?<![\w./@-])holdfast\.(?=[a-z])/g;
/** Longer names of prepared statements are cut off by the server. */
const NAME_BYTES = 63;

/** @throws RangeError */
export function checkedSchema(schema: string): string {
  if (NAME.test(schema)) return schema;
  throw new RangeError(
    `schema: ${JSON.stringify(schema)} is no name for one: give lower-case letters, digits and _, at most 63, not beginning with pg_`,
  );
}

/** The same SQL for the tables of another schema. @throws RangeError for what can't be a schema's name */
export function textIn(schema: string | undefined, text: string): string {
  if (schema === undefined || schema === DEFAULT_SCHEMA) return text;
  return text.replace(OURS, `"${checkedSchema(schema)}".`);
}

/** The same for the text of a migration. @throws RangeError likewise */
export function migrationIn(schema: string | undefined, text: string): string {
  if (schema === undefined || schema === DEFAULT_SCHEMA) return text;
  return text.replace(ANY, `"${checkedSchema(schema)}".`);
}

interface View {
  host: object;
  schema: string;
}
const views = new WeakMap<object, View>();
const viewsOfHost = new WeakMap<object, Map<string, object>>();

/**
 * A view of a pool or a client through which the libraries' statements find their tables in `schema`.
 * @param schema undefined: `db` as it is. @throws RangeError for what can't be a schema's name
 */
export function inSchema<T extends Query>(db: T, schema: string | undefined): T {
  if (schema === undefined) return db;
  const host = hostOf(db);
  if (checkedSchema(schema) === DEFAULT_SCHEMA) return host;
  const known = viewsOfHost.get(host) ?? new Map<string, object>();
  viewsOfHost.set(host, known);
  const view = (known.get(schema) as T | undefined) ?? viewOf(host, schema);
  known.set(schema, view);
  views.set(view, { host, schema });
  return view;
}

/** What a view was made of: foreign code gets that. */
export function hostOf<T extends object>(db: T): T {
  return (views.get(db)?.host as T | undefined) ?? db;
}

export function schemaOf(db: object): string {
  return views.get(db)?.schema ?? DEFAULT_SCHEMA;
}

type Connecting = Query & { connect?: () => Promise<pg.PoolClient> };

function viewOf<T extends Query>(host: T, schema: string): T {
  const address = addresser(schema);
  const query = (asked: unknown, ...rest: unknown[]) =>
    (host.query as (...call: unknown[]) => unknown).call(host, address(asked), ...rest);
  const own: Record<PropertyKey, unknown> = { query };
  // A pool's; a client is connected already.
  if ('totalCount' in host) {
    own.connect = async () => inSchema((await (host as Connecting).connect?.()) as pg.PoolClient, schema);
  }
  return new Proxy(host, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property];
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function addresser(schema: string): (asked: unknown) => unknown {
  const known = new Map<string, Pick<Statement, 'name' | 'text'>>();
  return (asked) => {
    if (!isOurs(asked)) return asked;
    const { name, text } = asked;
    if (name === undefined) return { ...asked, text: textIn(schema, text) };
    const addressed = known.get(text) ?? { name: nameIn(schema, name), text: textIn(schema, text) };
    known.set(text, addressed);
    return { ...asked, ...addressed };
  };
}

function isOurs(asked: unknown): asked is { name?: string; text: string } {
  return typeof asked === 'object' && asked !== null && 'types' in asked && asked.types === statementTypes;
}

/** A name stands for one text on a connection, whatever schemas share it. */
function nameIn(schema: string, name: string): string {
  const whole = `${name}@${schema}`;
  return whole.length <= NAME_BYTES ? whole : `${name}@${hash('sha256', schema).slice(0, 8)}`;
}

/*
 * `holdfast migrate`, the command that @holdfast/idempotency and @holdfast/saga bring along. Both name it so: a project has one
 * database and wants one command for it. Whichever of them a package manager puts there speaks for every library that the
 * project around it has.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { checkedSchema, DEFAULT_SCHEMA } from '../schema.ts';
import { type Migrations, migrate, migrationSql } from './migrate.ts';

/** In the order in which they are applied, and what each exports. */
const LIBRARIES = { '@holdfast/idempotency': 'idempotencyMigrations', '@holdfast/saga': 'sagaMigrations' } as const;

const USAGE = `holdfast migrate [--schema NAME]        applies what the database of DATABASE_URL lacks
holdfast migrate --sql [--schema NAME]  prints it as SQL, for those who run their own migrations
NAME is the schema of the libraries' tables; default ${DEFAULT_SCHEMA}.`;

export interface CommandLine {
  args: string[];
  databaseUrl: string | undefined;
  /** The project's folder. */
  cwd: string;
  print: (text: string) => void;
  complain: (text: string) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** @param own whose command was called. @returns the exit code */
export async function runMigrateCommand(
  own: Partial<Record<keyof typeof LIBRARIES, Migrations>>,
  line: CommandLine = thisProcess(),
): Promise<number> {
  const asked = parse(line.args);
  if (typeof asked === 'string') {
    line.complain(`${asked}\n${USAGE}`);
    return 2;
  }
  try {
    const sources = await librariesOf(line.cwd, own);
    if (asked.sql) line.print(migrationSql(sources, asked).trimEnd());
    else line.print(await applied(line.databaseUrl, sources, asked.schema));
    return 0;
  } catch (error) {
    line.complain(`holdfast migrate: ${(error as Error).message}`);
    return 1;
  }
}

function thisProcess(): CommandLine {
  const { argv, env } = process;
  return {
    args: argv.slice(2),
    databaseUrl: env.DATABASE_URL,
    cwd: process.cwd(),
    print: (text) => console.log(text),
    complain: (text) => console.error(text),
  };
}

/** @returns what is wrong with it, where something is */
function parse(args: string[]): { sql: boolean; schema: string } | string {
  try {
    const options = { sql: { type: 'boolean' }, schema: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.join(' ') !== 'migrate') return 'holdfast: give the command, migrate';
    return { sql: values.sql ?? false, schema: checkedSchema(values.schema ?? DEFAULT_SCHEMA) };
  } catch (error) {
    return `holdfast: ${(error as Error).message}`;
  }
}

async function librariesOf(cwd: string, own: Partial<Record<string, Migrations>>): Promise<Migrations[]> {
  const project = createRequire(join(cwd, 'package.json'));
  const found = Object.entries(LIBRARIES).map(
    async ([name, exported]) => own[name] ?? (await find(project, name, exported)),
  );
  return (await Promise.all(found)).filter((source) => source !== undefined);
}

/** @returns undefined when the project does without it */
async function find(project: NodeJS.Require, name: string, exported: string): Promise<Migrations | undefined> {
  let path: string;
  try {
    path = project.resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  return ((await import(pathToFileURL(path).href)) as Record<string, Migrations>)[exported];
}

async function applied(databaseUrl: string | undefined, sources: Migrations[], schema: string): Promise<string> {
  if (databaseUrl === undefined) throw new Error('set DATABASE_URL, or give --sql and apply what is printed yourself');
  // As it comes: what a migration needs of its session it sets for its own transaction, so a pooler may stand in between.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'holdfast migrate',
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // What a server says to a connection that is being closed already is nobody's error.
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    const files = await migrate(pool, sources, { schema });
    return files.length === 0 ? 'nothing to apply' : files.map((file) => `applied ${file}`).join('\n');
  } finally {
    await pool.end();
  }
}

import { parseArgs } from 'node:util';
import { SCOPES, type Scope } from '@holdfast/contracts';
import { createPool, type Migrations, type Pool, prepareDatabase } from '@holdfast/postgres';
import { type Config, EXIT_USAGE, loadConfig, type Reader } from '@holdfast/service';
import { insertApiKey, readApiKeys, revokeApiKey } from './api-key-store.ts';
import { newApiKey, randomApiKeyId, showApiKey } from './make-api-key.ts';

const USAGE = `main.ts api-keys make --tenant TENANT --name NAME --scopes SCOPE,SCOPE [--not-before INSTANT] [--expires INSTANT]
main.ts api-keys list --tenant TENANT
main.ts api-keys revoke --tenant TENANT --id ID
scopes: ${SCOPES.join(', ')}; instants: RFC 3339, such as 2027-01-31T00:00:00Z
`;
const TENANT = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_NAME_LENGTH = 100;
const PAGE = 100;

type DatabaseSettings = { DATABASE_URL: Reader<string> };

/**
 * `main.ts api-keys …`: makes, lists and revokes API keys of any tenant, one JSON document a line, for who has the database. It
 * needs no key of the API: so it makes the first one, or the next when the last is lost. The services may be away.
 */
export function apiKeysJob(
  settings: DatabaseSettings,
  migrations: Migrations[],
  args: readonly string[],
): () => Promise<void> {
  return async () => {
    const command = commandIn(args);
    if (typeof command === 'string') {
      process.stderr.write(`${command}\n${USAGE}`);
      process.exit(EXIT_USAGE);
    }
    const { DATABASE_URL }: Config<DatabaseSettings> = loadConfig({ DATABASE_URL: settings.DATABASE_URL }, process.env);
    const pool = createPool({ databaseUrl: DATABASE_URL, applicationName: 'holdfast-api-keys', max: 1 });
    try {
      const onWait = (reason: string) => process.stderr.write(`${reason}\n`);
      await prepareDatabase(pool, migrations, { migrateOnStart: false, onWait });
      for await (const line of linesOf(pool, command)) process.stdout.write(`${JSON.stringify(line)}\n`);
    } finally {
      await pool.end();
    }
  };
}

type Command =
  | {
      verb: 'make';
      tenantId: string;
      name: string;
      scopes: Scope[];
      notBefore: Date | undefined;
      expiresAt: Date | undefined;
    }
  | { verb: 'list'; tenantId: string }
  | { verb: 'revoke'; tenantId: string; id: string };

const OPTIONS = {
  tenant: { type: 'string' },
  name: { type: 'string' },
  scopes: { type: 'string' },
  'not-before': { type: 'string' },
  expires: { type: 'string' },
  id: { type: 'string' },
} as const;
/** Beside the tenant. */
const TAKES: Readonly<Record<Command['verb'], readonly (keyof typeof OPTIONS)[]>> = {
  make: ['name', 'scopes', 'not-before', 'expires'],
  list: [],
  revoke: ['id'],
};

/** @returns what is wrong with them, as a text */
export function commandIn(args: readonly string[]): Command | string {
  const parsed = parsedArgs(args);
  if (typeof parsed === 'string') return parsed;
  const { values, positionals } = parsed;
  const [verb, ...more] = positionals;
  if (verb !== 'make' && verb !== 'list' && verb !== 'revoke') return 'say make, list or revoke';
  if (more.length > 0) return `${more.join(' ')}: not understood`;
  const { tenant: tenantId, ...rest } = values;
  if (tenantId === undefined || !TENANT.test(tenantId)) return '--tenant: 1 to 64 of [A-Za-z0-9_-]';
  const foreign = Object.keys(rest).find((name) => !TAKES[verb].includes(name as keyof typeof OPTIONS));
  if (foreign !== undefined) return `--${foreign}: ${verb} takes none`;
  if (verb === 'list') return { verb, tenantId };
  if (verb === 'revoke') return rest.id === undefined ? '--id: missing' : { verb, tenantId, id: rest.id };
  return makeIn(tenantId, rest);
}

type Values = Partial<Record<keyof typeof OPTIONS, string>>;

function parsedArgs(args: readonly string[]): { values: Values; positionals: string[] } | string {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return (error as Error).message;
  }
}

function makeIn(tenantId: string, values: Values): Command | string {
  const { name = '', scopes = '', 'not-before': begin, expires: end } = values;
  if (name === '' || name.length > MAX_NAME_LENGTH) return `--name: 1 to ${MAX_NAME_LENGTH} characters`;
  const isScope = (scope: string): scope is Scope => (SCOPES as readonly string[]).includes(scope);
  const wanted = [...new Set(scopes.split(','))];
  if (!wanted.every(isScope)) return '--scopes: one or more of the scopes, with commas between them';
  const instants = [begin, end].map((text) => (text === undefined ? undefined : new Date(text)));
  if (instants.some((at) => at !== undefined && Number.isNaN(at.getTime())))
    return '--not-before, --expires: an instant';
  const [notBefore, expiresAt] = instants;
  return { verb: 'make', tenantId, name, scopes: wanted, notBefore, expiresAt };
}

async function* linesOf(pool: Pool, command: Command): AsyncGenerator<object> {
  switch (command.verb) {
    case 'make': {
      const { verb: _, ...wanted } = command;
      const id = randomApiKeyId();
      const { key, digest } = newApiKey(id);
      const made = await insertApiKey(pool, { ...wanted, id, digest, createdAt: new Date() });
      if (made === undefined) throw new Error('the key would end before it begins: choose another --expires');
      yield { ...showApiKey(made), key };
      return;
    }
    case 'list': {
      let after: { createdAt: string; id: string } | undefined;
      do {
        const { rows, nextCursor } = await readApiKeys(pool, command.tenantId, { limit: PAGE, after });
        for (const row of rows) yield showApiKey(row);
        const last = rows.at(-1);
        after = nextCursor !== null && last ? { createdAt: last.createdAt.toISOString(), id: last.id } : undefined;
      } while (after !== undefined);
      return;
    }
    case 'revoke': {
      const revoked = await revokeApiKey(pool, command.tenantId, command.id);
      if (revoked === undefined) throw new Error(`the tenant ${command.tenantId} has no API key ${command.id}`);
      yield showApiKey(revoked);
    }
  }
}

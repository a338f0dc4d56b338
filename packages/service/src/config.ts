import { readFileSync } from 'node:fs';

/**
 * Settings come from the environment and from nowhere else; of a secret it may name the file that holds it: `DATABASE_URL_FILE`
 * instead of `DATABASE_URL`, as for the secrets that Docker puts in files. A service states what it needs as a table of readers;
 * all faults are found before anything listens and are listed together, so that a deployment is mended in one go.
 */

/** Reads one setting; returns its value or throws `Error` with a message that says what a right value looks like. */
export interface Reader<T> {
  /** @param path of the file that holds it, where it comes from one */
  read(raw: string | undefined, path?: string): T;
}

export type ConfigSpec = Record<string, Reader<unknown>>;
export type Config<S extends ConfigSpec> = { [K in keyof S]: S[K] extends Reader<infer T> ? T : never };

/** Every fault found, one line each, naming the setting and never its value (which may be a secret). */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: string[];
  constructor(faults: string[]) {
    super(`wrong settings:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * @param env of each setting its value under its name, or under `<name>_FILE` the path of a file that holds nothing else
 * @param judge says what is wrong with settings together; it gets those that are right by themselves
 * @throws ConfigError listing every missing or wrong setting
 */
export function loadConfig<S extends ConfigSpec>(
  spec: S,
  env: NodeJS.ProcessEnv,
  judge: (read: Partial<Config<S>>) => string[] = () => [],
): Config<S> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, reader] of Object.entries(spec)) {
    try {
      values[name] = reader.read(rawOf(name, env), env[`${name}_FILE`] || undefined);
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
  }
  faults.push(...judge(values as Partial<Config<S>>));
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Config<S>;
}

/** Of a setting that is set to nothing: `undefined`, as if it were not set. */
function rawOf(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const [value, path] = [env[name] || undefined, env[`${name}_FILE`] || undefined];
  if (path === undefined) return value;
  if (value !== undefined) throw new Error(`set twice; expected either ${name} or ${name}_FILE`);
  try {
    // Editors and `echo` end a file with a line feed, which is no part of the value.
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Error(`${name}_FILE can't be read (${code}); expected the path of a file that holds the value`);
  }
}

function required<T>(hint: string, parse: (raw: string) => T): Reader<T> {
  return {
    read(raw) {
      if (raw === undefined) throw new Error(`missing; expected ${hint}`);
      return parse(raw);
    },
  };
}

/** The same setting, with a value for when it is not set. */
export function optional<T, F>(reader: Reader<T>, fallback: F): Reader<T | F> {
  return { read: (raw, path) => (raw === undefined ? fallback : reader.read(raw, path)) };
}

export function text(hint: string, pattern = /^.+$/s): Reader<string> {
  return required(hint, (raw) => {
    if (!pattern.test(raw)) throw new Error(`malformed; expected ${hint}`);
    return raw;
  });
}

export function integer(min: number, max: number): Reader<number> {
  const hint = `a whole number from ${min} to ${max}`;
  return required(hint, (raw) => {
    const value = Number(raw);
    if (!/^-?\d+$/.test(raw) || value < min || value > max) throw new Error(`malformed; expected ${hint}`);
    return value;
  });
}

export function boolean(): Reader<boolean> {
  const hint = 'true or false';
  return required(hint, (raw) => {
    if (raw !== 'true' && raw !== 'false') throw new Error(`malformed; expected ${hint}`);
    return raw === 'true';
  });
}

/** DATABASE_PREPARE: whether statements keep a name on the server, or `auto`, which finds out whether they can. */
export function prepare(): Reader<'auto' | 'on' | 'off'> {
  const hint = 'auto, on or off';
  const parse = required(hint, (raw) => {
    if (raw !== 'auto' && raw !== 'on' && raw !== 'off') throw new Error(`malformed; expected ${hint}`);
    return raw;
  });
  return optional(parse, 'auto' as const);
}

/** A TCP port; 0 lets the system choose one. */
export const port = (): Reader<number> => integer(0, 65_535);

export function url(...protocols: string[]): Reader<string> {
  const hint = `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return required(hint, (raw) => {
    if (!URL.canParse(raw) || !protocols.includes(new URL(raw).protocol))
      throw new Error(`malformed; expected ${hint}`);
    return raw;
  });
}

/** A PEM text; with the path of its file, from which it can be read again when it changes. */
export interface Pem {
  text: string;
  path: string | undefined;
}

export function pem(hint: string): Reader<Pem> {
  return {
    read(raw, path) {
      if (raw === undefined) throw new Error(`missing; expected ${hint}, as PEM`);
      if (!/^-----BEGIN [A-Z0-9 ]+-----$/m.test(raw)) throw new Error(`malformed; expected ${hint}, as PEM`);
      return { text: raw, path };
    },
  };
}

const PEER_NAME = /^[A-Za-z0-9._~:/-]{1,255}$/;

/** `name,name`: names that certificates carry. */
export function nameList(): Reader<string[]> {
  const hint = 'names separated by commas, such as orchestrator or spiffe://example.org/orchestrator';
  return required(hint, (raw) => {
    const names = raw.split(',').map((name) => name.trim());
    if (!names.every((name) => PEER_NAME.test(name))) throw new Error(`malformed; expected ${hint}`);
    return names;
  });
}

/** Whether what listens there can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

const SECRET_KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9._~+/=-]{32,256})$/;

/** `id:secret,id:secret`: secrets that are exchanged one by one; the first is used for what is new. */
export function secretList(): Reader<{ id: string; secret: string }[]> {
  const hint = 'id:secret,id:secret with secrets of 32 to 256 of [A-Za-z0-9._~+/=-], each with an id of its own';
  return required(hint, (raw) => {
    const secrets = raw.split(',').map((entry) => SECRET_KEY.exec(entry.trim()) ?? []);
    const ids = new Set(secrets.map(([, id]) => id));
    if (ids.has(undefined) || ids.size !== secrets.length) throw new Error(`malformed; expected ${hint}`);
    return secrets.map(([, id = '', secret = '']) => ({ id, secret }));
  });
}

const TENANT_KEY = /^([A-Za-z0-9_-]{1,64}):([A-Za-z0-9._~-]{16,256})(?::([a-z:+]+))?$/;

/** Whose a key is, and what it may do. */
export interface KeyGrant<Scope extends string> {
  tenantId: string;
  scopes: ReadonlySet<Scope>;
}

/**
 * `tenant:key,tenant:key:scope+scope`; a tenant may have several keys (to rotate them), a key belongs to one tenant. A key
 * without scopes has all of them.
 */
export function keyList<Scope extends string>(scopes: readonly Scope[]): Reader<Map<string, KeyGrant<Scope>>> {
  const hint = `tenant:key,tenant:key:scope+scope with keys of 16 to 256 of [A-Za-z0-9._~-] and scopes of ${scopes.join(', ')}`;
  const isScope = (name: string): name is Scope => (scopes as readonly string[]).includes(name);
  return required(hint, (raw) => {
    const grants = new Map<string, KeyGrant<Scope>>();
    for (const [at, entry] of raw.split(',').entries()) {
      const [, tenantId, key, named] = TENANT_KEY.exec(entry.trim()) ?? [];
      const wanted = named?.split('+') ?? scopes;
      if (tenantId === undefined || key === undefined || !wanted.every(isScope))
        throw new Error(`entry ${at + 1} is malformed; expected ${hint}`);
      if (grants.has(key)) throw new Error(`entry ${at + 1} repeats a key`);
      grants.set(key, { tenantId, scopes: new Set(wanted) });
    }
    return grants;
  });
}

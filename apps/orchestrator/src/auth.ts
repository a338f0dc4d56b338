import { hash } from 'node:crypto';
import type { Scope } from '@holdfast/contracts';

/** Who calls, and what the credentials allow. */
export interface Caller {
  tenantId: string;
  scopes: ReadonlySet<Scope>;
  /** How the audit log names it; of a key of the settings, which has no name, see actorOf(). */
  actor?: string;
  /** Aborted when the key counts no more: what goes on for long ends then. Undefined: it counts as long as the process. */
  ended?: AbortSignal;
}

export type Verdict =
  | { kind: 'caller'; caller: Caller }
  /** No key, or none that counts. */
  | { kind: 'unknown' }
  /** Whether it counts can't be known now: the database does not say. */
  | { kind: 'unavailable' };

/** Finds the caller of a bearer key. No promise for a key that is known, which is nearly every one. */
export type Authenticate = (authorization: string | undefined) => Verdict | Promise<Verdict>;

/** What the keys are of that no setting names. */
export interface MadeKeys {
  /** @param digest SHA-256 of the key, in base64 */
  verdictOf(key: string, digest: string): Verdict | Promise<Verdict>;
}

export const UNKNOWN: Verdict = { kind: 'unknown' };

/** Enough to tell the keys of one installation apart, and to find a key among them. */
const ACTOR_DIGITS = 12;

const digest = (key: string): string => hash('sha256', key, 'base64');

/**
 * T1  A key opens what its scopes name and nothing else.
 *
 * @param callers by their API keys in the clear; only digests are kept. The look-up compares digests, whose timing says
 * nothing about a key.
 */
export function createAuthenticate(callers: ReadonlyMap<string, Caller>, made?: MadeKeys): Authenticate {
  const verdicts = new Map([...callers].map(([key, caller]) => [digest(key), { kind: 'caller', caller } as const]));
  return (authorization) => {
    const key = bearerIn(authorization);
    if (key === undefined) return UNKNOWN;
    const keyDigest = digest(key);
    return verdicts.get(keyDigest) ?? made?.verdictOf(key, keyDigest) ?? UNKNOWN;
  };
}

export function bearerIn(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
}

/** The scope that is missing, to be named; undefined: one of `wanted` is there, or none is needed. */
export function missingScope({ scopes }: Caller, wanted: readonly Scope[]): string | undefined {
  // @guard T1 the scope of a call: "wanted.some((scope) => scopes.has(scope))" -> "true"
  if (wanted.length === 0 || wanted.some((scope) => scopes.has(scope))) return undefined;
  return wanted.join('` or `');
}

/** How the audit log names the caller of these credentials: a key of the settings by the beginning of its SHA-256. */
export function actorOf({ actor }: Caller, authorization: string | undefined): string {
  return actor ?? `key:${hash('sha256', bearerIn(authorization) ?? '').slice(0, ACTOR_DIGITS)}`;
}
